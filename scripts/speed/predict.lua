-- wrk: real windows in turn, and the figures as one line of JSON.
local requests, next = {}, 0

-- Whole requests, each behind the number of its bytes.
local function read_requests(path)
  local file = assert(io.open(path, "rb"))
  local length = file:read("*n")
  while length do
    file:read(1)
    requests[#requests + 1] = file:read(length)
    length = file:read("*n")
  end
end

function init()
  local whole = os.getenv("SPEED_REQUESTS")
  if whole then return read_requests(whole) end
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
