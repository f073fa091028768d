/** @typedef {{ url: string, body: string, hasKey: boolean }} Call */

/** Says where the key comes from: a text that is passed on must not hold it. */
const KEY = 'API_KEY'

/** The request as a command for a POSIX shell. It reads the body from the command itself, so that no argument is too long. @param {Call} call */
export function asCurl({ url, body, hasKey }) {
  let end = 'BODY'
  while (body.split('\n').includes(end)) end += '_'
  const lines = [
    ...(hasKey ? [`# ${KEY} is your API key: export it first.`] : []),
    `curl -sS ${shellQuoted(url)} \\`,
    ...(hasKey ? [`  -H "authorization: Bearer $${KEY}" \\`] : []),
    `  -H 'content-type: application/json' --data-binary @- <<'${end}'`,
    body,
    end
  ]
  return `${lines.join('\n')}\n`
}

/** The request as a Python program that needs only the standard library. @param {Call} call */
export function asPython({ url, body, hasKey }) {
  const headers = [
    '"content-type": "application/json"',
    ...(hasKey ? [`"authorization": "Bearer " + os.environ["${KEY}"]`] : [])
  ]
  const lines = [
    ...(hasKey ? [`# ${KEY} is your API key: export it first.`, 'import os'] : []),
    'import urllib.error',
    'import urllib.request',
    '',
    `body = ${pythonText(body)}`,
    'request = urllib.request.Request(',
    `    ${JSON.stringify(url)},`,
    '    data=body.encode(),',
    `    headers={${headers.join(', ')}},`,
    ')',
    'try:',
    '    with urllib.request.urlopen(request, timeout=30) as response:',
    '        print(response.read().decode())',
    'except urllib.error.HTTPError as error:',
    '    raise SystemExit(error.read().decode())'
  ]
  return `${lines.join('\n')}\n`
}

/** @param {string} text */
const shellQuoted = text => `'${text.replaceAll("'", "'\\''")}'`

/** Readable where no character has a meaning of its own; a JSON string is a Python string in any case. @param {string} text */
const pythonText = text => (/[\\\0\r]|'''|'$/.test(text) ? JSON.stringify(text) : `'''${text}'''`)
