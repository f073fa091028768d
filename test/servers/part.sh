# shellcheck shell=bash disable=SC2154
# part NAME-VERSION SCRIPT INPUT...: runs SCRIPT FOLDER INPUT..., which fills the folder. The folder gets its name only
# when it is whole, so an interrupted installation is never taken for a finished one; another script or input (a file's
# content counts) is another installation. Prints the log of a script that failed. Needs `say` and $services of install.sh.
part() {
  local name=$1 script=$2 folder=$services/$1 log=$services/$1.log input wanted
  shift 2
  wanted=$(for input in "$script" "$@"; do
    if [[ -f $input ]]; then cat "$input"; else printf '%s\n' "$input"; fi
  done | sha256sum)
  if [[ -f $folder/.installed && $(<"$folder/.installed") == "$wanted" ]]; then
    say "$folder is there"
    return
  fi
  rm -rf "$folder" "$folder.tmp"
  mkdir -p "$folder.tmp"
  if ! "$script" "$PWD/$folder.tmp" "$@" >"$log" 2>&1; then
    printf 'install: %s failed:\n' "$script" >&2
    tail -n 40 "$log" >&2
    return 1
  fi
  printf '%s\n' "$wanted" >"$folder.tmp/.installed"
  mv "$folder.tmp" "$folder"
  rm -f "$log"
  say "installed $name"
}
