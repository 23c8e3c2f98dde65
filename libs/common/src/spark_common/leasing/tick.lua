-- asked: looks (true: this is the loop that looks all the time)
settle()
if state() == 'held' and not lease.told_expiring then
  local early = lease.ttl_ms > 60000 and 60000 or lease.ttl_ms / 2
  if lease.expires_ms - now <= early then
    lease.told_expiring = 1
    keep(lease)
    tell('expiring', lease, {
      remaining_seconds = (lease.expires_ms - now) / 1000, expires_ms = lease.expires_ms,
      waiting = #line,
    })
  end
end
return answer('ticked')
