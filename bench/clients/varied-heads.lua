-- wrk sends 40 header lines with each request, of which some are others each time: no server can know the head from before.
local requests = {}
init = function(args)
  for variant = 1, 97 do
    local headers = { Host = wrk.host, Accept = "text/html" }
    for line = 1, 38 do headers["X-Header-" .. line] = "some value of a header line " .. (line * variant) end
    requests[variant] = wrk.format("GET", "/?" .. variant, headers)
  end
end

local next = 0
request = function()
  next = next % 97 + 1
  return requests[next]
end
