#!/usr/bin/env bash
# driver.sh FOLDER: runs FOLDER/0.sh, 1.sh, ... one after the other in this one shell, as a reader does who pastes them, with
# job control. Each that has ended is told on descriptor 3. The first command that fails ends it.
set -em
folder=$1
for ((block = 0; ; block++)); do
  [[ -f $folder/$block.sh ]] || break
  # shellcheck source=/dev/null
  . "$folder/$block.sh" </dev/null >"$folder/$block.out" 2>"$folder/$block.err" 3>&-
  echo "$block" >&3
done
