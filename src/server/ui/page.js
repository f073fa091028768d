import { getMetrics, getModel, Refusal } from './api.js'
import { ForecastForm } from './forecast.js'
import { keyForm } from './key.js'
import { Live } from './live.js'
import { parseMetrics, sum } from './metrics.js'
import { showModel, showStatus } from './model.js'

const EVERY_MS = 2000

const live = new Live()
const form = new ForecastForm()
/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer
let looking = false

/** Looks at the service once, and again two seconds later while somebody can see the page. */
async function look() {
  if (looking) return
  looking = true
  clearTimeout(timer)
  try {
    const [answer, { text, replica }] = await Promise.all([getModel(), getMetrics()])
    const metrics = parseMetrics(text)
    // `ready` of the model does not know of a replica that drains; the gauge does.
    showStatus(answer.ready && sum(metrics, 'gru_ready') === 1 ? 'ready' : 'unready')
    showModel(answer)
    live.update(metrics, replica)
    void form.serve(answer.model)
  } catch (error) {
    showStatus(error instanceof Refusal && error.status === 401 ? 'locked' : 'gone')
    live.clear()
  }
  looking = false
  if (!document.hidden) timer = setTimeout(look, EVERY_MS)
}

document.addEventListener('visibilitychange', () => {
  if (document.hidden) clearTimeout(timer)
  else void look()
})
keyForm(() => {
  form.keyChanged()
  void look()
})
void look()
