// Draws every chart of the report with uPlot, which stands in the page before this script. Numbers of replicas have equal
// distances: each step is a doubling.
;(() => {
  const HEIGHT = 220
  const style = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim()

  function draw(place) {
    const { replicas, series } = JSON.parse(place.dataset.chart)
    const axis = { stroke: style('--soft'), grid: { stroke: style('--edge'), width: 1 }, ticks: { show: false } }
    const label = (_plot, positions) => positions.map(position => replicas[position] ?? '')
    place.replaceChildren()
    return new uPlot(
      {
        width: place.clientWidth,
        height: HEIGHT,
        scales: {
          x: { time: false, range: [-0.25, replicas.length - 0.75] },
          y: { range: (_plot, _low, high) => [0, (high || 1) * 1.1] }
        },
        axes: [
          {
            ...axis,
            label: 'replicas',
            labelSize: 20,
            size: 28,
            splits: () => replicas.map((_count, i) => i),
            values: label
          },
          { ...axis, size: 56 }
        ],
        series: [
          { label: 'replicas', value: (_plot, position) => (position === null ? '' : String(replicas[position])) },
          ...series.map(({ name }, i) => ({
            label: name,
            stroke: style(`--line-${(i % 4) + 1}`),
            width: 2,
            points: { show: true, size: 7 }
          }))
        ]
      },
      [replicas.map((_count, i) => i), ...series.map(({ values }) => values)],
      place
    )
  }

  let plots = []
  const places = [...document.querySelectorAll('.chart')]
  const drawAll = () => {
    for (const plot of plots) plot.destroy()
    plots = places.map(draw)
  }
  const fit = () => plots.forEach((plot, i) => plot.setSize({ width: places[i].clientWidth, height: HEIGHT }))
  drawAll()
  addEventListener('resize', fit)
  addEventListener('beforeprint', fit)
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', drawAll)
})()
