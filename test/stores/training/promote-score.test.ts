import t from 'tap'
import { LSTM, promoted, refused, scoring, versionWith } from '../../support/promotion.js'
import { newName, register, scored, stateOf } from '../../support/registry.js'
import { stores } from '../../support/stores.js'

const given = await stores()
t.teardown(() => given.stop())

t.test('a candidate that is not better is refused unless it is forced', async t => {
  const name = newName()
  await register(given, scored(t, 0.2), name)
  const others = [scoring(0.2), scoring(0.3), { sha256: LSTM }, scoring(0.1, 'avg5_nrmse'), scoring(NaN)]
  for (const tags of others) await versionWith(given, name, tags)
  await promoted(given, name, '1')
  const notLower = /^error: version (2 has avg2_nrmse 0\.2|3 has avg2_nrmse 0\.3), which is not lower than the 0\.2 of version 1,/
  await refused(t, given, { name, args: ['2'], code: 1, line: notLower })
  await refused(t, given, { name, args: ['3'], code: 1, line: notLower })
  await refused(t, given, { name, args: ['4'], code: 1, line: /^error: version 4 \(no score\) and version 1, .* cannot be compared; / })
  await refused(t, given, { name, args: ['5'], code: 1, line: /^error: version 5 \(avg5_nrmse 0\.1\) .* cannot be compared; / })
  await refused(t, given, { name, args: ['6'], code: 1, line: /^error: version 6 \(no score\) and / })
  await promoted(given, name, '3', '--force')
  t.match(await stateOf(given.mlflow, name), { aliases: { promoted: '3', previous: '1' } })
})
