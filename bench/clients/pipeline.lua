-- wrk sends this as one write: sixteen requests, pipelined.
init = function(args)
  local one = wrk.format("GET", "/")
  pipelined = string.rep(one, 16)
end

request = function()
  return pipelined
end
