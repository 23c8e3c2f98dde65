#!/bin/sh
# kernel SECONDS
# What the kernel and earlyoom of this Spark noted about memory in the last SECONDS:
# "readable yes|no" and one "line TEXT" per line. Needs no root; a user outside the groups adm and
# systemd-journal may read nothing, which is said. Touches nothing.
set -u
# Without -q: only the hint says that somebody else's messages are kept from us.
if text=$(timeout 8 journalctl -k --no-pager -o short-iso --since "-$1s" 2>&1); then
  readable=yes
else
  readable=no
fi
case $text in
  *"not seeing messages"* | *"insufficient permissions"*) readable=no ;;
esac
if [ $readable = yes ]; then
  text="$text
$(timeout 8 journalctl -u earlyoom --no-pager -o short-iso --since "-$1s" 2>/dev/null)"
elif text=$(timeout 8 dmesg --time-format iso 2>/dev/null); then
  readable=yes
else
  text=
fi
echo "readable $readable"
printf '%s\n' "$text" |
  grep -E 'Out of memory|oom-kill|oom_reaper|oom-killer|NV_ERR_NO_MEMORY|sending SIG(TERM|KILL)' |
  tail -n 12 | cut -c 1-1000 | sed 's/^/line /'
exit 0
