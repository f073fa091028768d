// healthcheck.mjs URL: exits 0 if it answers 2xx within three seconds, otherwise 1. The image has no curl.
const { ok } = await fetch(process.argv[2], { signal: AbortSignal.timeout(3000) }).catch(() => ({ ok: false }))
process.exit(ok ? 0 : 1)
