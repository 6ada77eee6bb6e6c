-- Repeat one request with wrk; print the results as a line of JSON at the end.
if os.getenv("BODY") then
  local file = io.open(os.getenv("BODY"), "rb")
  wrk.method, wrk.body = "POST", file:read("*a")
  file:close()
  wrk.headers["Content-Type"] = "application/json"
end
if os.getenv("HEADER_LENGTH") then
  wrk.headers["Inference-Header-Content-Length"] = os.getenv("HEADER_LENGTH")
end

function done(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format(
    '{"rate": %.1f, "p50_ms": %.3f, "p90_ms": %.3f, "p99_ms": %.3f, '
      .. '"p99.9_ms": %.3f, "longest_ms": %.3f, "failed": %d}\n',
    summary.requests / (summary.duration / 1e6),
    latency:percentile(50) / 1000, latency:percentile(90) / 1000,
    latency:percentile(99) / 1000, latency:percentile(99.9) / 1000,
    latency.max / 1000,
    errors.status + errors.read + errors.write + errors.connect + errors.timeout))
end
