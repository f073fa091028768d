/** Lines of a process that only a fault without a handler prints. */
export function unhandled({ lines }: { lines: readonly string[] }): string[] {
  return lines.filter(line => /unhandledRejection|uncaughtException|"level":60|MaxListeners|\(node:\d+\)/.test(line))
}
