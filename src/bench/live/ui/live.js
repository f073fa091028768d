// Shows the sweep as each event tells it, and asks for its end. uPlot stands in the page before this script.
;(() => {
  const HEIGHT = 180
  const at = id => document.getElementById(id)
  const style = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim()
  const number = (value, digits) => (value === null ? '' : value.toFixed(digits))
  const stopButton = at('stop')
  let last
  let plots = []

  function draw(place, names) {
    place.replaceChildren()
    const axis = { stroke: style('--soft'), grid: { stroke: style('--edge'), width: 1 }, ticks: { show: false } }
    const lines = names.map((label, i) => ({ label, stroke: style(`--line-${i + 1}`), width: 2 }))
    return new uPlot(
      {
        width: place.clientWidth,
        height: HEIGHT,
        scales: {
          x: { time: false, range: (_plot, _low, high) => [1, Math.max(high ?? 0, 10)] },
          y: { range: (_plot, _low, high) => [0, (high || 1) * 1.1] }
        },
        axes: [axis, { ...axis, size: 56 }],
        series: [{ label: 'second' }, ...lines]
      },
      [[], [], []],
      place
    )
  }

  function drawAll() {
    for (const { plot } of plots) plot.destroy()
    plots = [
      { place: at('rate'), names: ['good', 'failed'], of: ({ good, failed }) => [good, failed] },
      { place: at('latency'), names: ['median', 'P99'], of: ({ p50Us, p99Us }) => [p50Us / 1000, p99Us / 1000] }
    ].map(({ place, names, of }) => ({ place, of, plot: draw(place, names) }))
    if (last) fill(last)
  }

  function fill({ seconds }) {
    for (const { plot, of } of plots) {
      const lines = seconds.map(of)
      plot.setData([seconds.map((_second, i) => i + 1), lines.map(([first]) => first), lines.map(([, other]) => other)])
    }
  }

  function minutes(ms) {
    const seconds = Math.round(ms / 1000)
    return seconds < 60 ? `${seconds} s` : `${Math.round(seconds / 60)} min`
  }

  function statusOf({ cells, done, leftMs, isFinished, isStopping }) {
    const count = `${done} of ${cells.length} cells done`
    if (isFinished) return `Finished: ${count}`
    if (isStopping) return `Stopping: ${count}`
    const running = cells.find(({ status }) => status === 'warm-up' || status === 'measured interval')
    return [count, running && `${running.key} ${running.status}`, leftMs !== null && `about ${minutes(leftMs)} left`]
      .filter(Boolean)
      .join(', ')
  }

  function tell(text) {
    // A reader aloud hears what has changed, not the same again each second.
    if (at('status').textContent !== text) at('status').textContent = text
  }

  function row({ key, status, rps, p99Ms, failurePercent }) {
    const tr = document.createElement('tr')
    const texts = [key, status, number(rps, 0), number(p99Ms, 1), number(failurePercent, 2)]
    texts.forEach((text, i) => {
      const cell = document.createElement(i === 0 ? 'th' : 'td')
      if (i === 0) cell.scope = 'row'
      cell.textContent = text
      tr.append(cell)
    })
    return tr
  }

  function show(snapshot) {
    last = snapshot
    tell(statusOf(snapshot))
    at('progress').max = Math.max(snapshot.cells.length, 1)
    at('progress').value = snapshot.done
    const second = snapshot.seconds.at(-1)
    at('good').textContent = second ? `${second.good} a second` : '–'
    at('failed').textContent = second ? `${second.failed} a second` : '–'
    at('p50').textContent = second ? `${(second.p50Us / 1000).toFixed(1)} ms` : '–'
    at('p99').textContent = second ? `${(second.p99Us / 1000).toFixed(1)} ms` : '–'
    at('cells').replaceChildren(...snapshot.cells.map(row))
    stopButton.disabled = snapshot.isFinished || snapshot.isStopping
    fill(snapshot)
  }

  drawAll()
  addEventListener('resize', () => {
    for (const { plot, place } of plots) plot.setSize({ width: place.clientWidth, height: HEIGHT })
  })
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', drawAll)

  const source = new EventSource('/events')
  source.onmessage = ({ data }) => show(JSON.parse(data))
  source.onerror = () => {
    // The port may later be another run's, whose page has another token: this page never goes back.
    source.close()
    stopButton.disabled = true
    if (!last?.isFinished) tell(last?.isStopping ? 'Stopped' : 'The benchmark has ended')
  }
  stopButton.addEventListener('click', async () => {
    stopButton.disabled = true
    const headers = { 'x-token': document.querySelector('meta[name=token]').content }
    const answer = await fetch('/stop', { method: 'POST', headers }).catch(() => null)
    if (answer?.ok) return
    stopButton.disabled = false
    tell('The sweep could not be told to stop')
  })
})()
