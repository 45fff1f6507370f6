-- wrk sends 40 header lines with each request, always the same.
local headers = { Accept = "text/html" }
for line = 1, 38 do headers["X-Header-" .. line] = "some value of a header line " .. line end
wrk.headers = headers
