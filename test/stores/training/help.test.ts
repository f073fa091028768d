import t from 'tap'
import { training } from '../../support/registry.js'

/** No command here asks a store. */
const told = { mlflow: { url: 'http://127.0.0.1:9' } } as Parameters<typeof training>[0]
const env = { PYTHONPATH: 'training/src' }

t.test('the registry environment shows all commands, and says where those are that it has not', async t => {
  const help = await training({ ...told, env }, '--help')
  t.match(help, { code: 0, stderr: '' })
  for (const command of ['train', 'reproduce', 'register', 'promote']) t.match(help.stdout, `\n  ${command}`)
  t.match(await training({ ...told, env }, 'train'), { code: 2, stderr: /^error: train needs training\/\.venv\/bin\/python/ })
  t.match(await training({ ...told, env }, 'registr'), { code: 2, stderr: /did you mean register\?/ })
  t.match(await training({ ...told, env }, 'register', '--help'), { code: 0, stdout: /--bundle PATH/ })
})
