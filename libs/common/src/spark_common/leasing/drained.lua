-- asked: epoch (of the lease that ended), cut
-- outcome: freed, or nothing when that lease is not draining any more
settle()
if state() ~= 'draining' or lease.fence ~= asked.epoch then return answer('nothing') end
free(lease.ended, asked.cut)
move()
return answer('freed')
