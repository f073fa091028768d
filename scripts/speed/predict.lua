-- wrk: real windows in turn, and the figures as one line of JSON.
local requests, next = {}, 0

function init()
  for body in io.lines(os.getenv("SPEED_BODIES")) do
    requests[#requests + 1] = wrk.format("POST", "/predict", { ["content-type"] = "application/json" }, body)
  end
end

function request()
  next = next % #requests + 1
  return requests[next]
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '{"requests":%d,"seconds":%.6f,"p50":%.3f,"p99":%.3f,"errors":{"connect":%d,"read":%d,"write":%d,"status":%d,"timeout":%d}}\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
    errors.connect, errors.read, errors.write, errors.status, errors.timeout))
end
