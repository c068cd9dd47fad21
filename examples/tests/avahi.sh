#!/bin/sh
# Runs a command beside an Avahi daemon on tap0 that calls itself duck, with a bus and a /run of their own. When the
# command ends, all end.
set -eu
if [ "${1:-}" != --inside ]; then
    exec unshare --mount --pid --fork --kill-child sh "$0" --inside "$@"
fi
shift
mount -t tmpfs none /run
mkdir /run/avahi-daemon
export DBUS_SYSTEM_BUS_ADDRESS=unix:path=/run/bus
cat >/run/bus.conf <<'BUS'
<busconfig>
  <listen>unix:path=/run/bus</listen>
  <policy context="default">
    <allow user="*"/>
    <allow own="*"/>
    <allow send_type="method_call"/>
    <allow send_type="signal"/>
    <allow send_requested_reply="true" send_type="method_return"/>
    <allow send_requested_reply="true" send_type="error"/>
    <allow receive_type="method_call"/>
    <allow receive_type="method_return"/>
    <allow receive_type="error"/>
    <allow receive_type="signal"/>
  </policy>
</busconfig>
BUS
cat >/run/avahi.conf <<'AVAHI'
[server]
host-name=duck
allow-interfaces=tap0
[publish]
publish-workstation=no
publish-hinfo=no
AVAHI
PATH=$PATH:/usr/sbin
dbus-daemon --nofork --nopidfile --config-file=/run/bus.conf &
while [ ! -S /run/bus ]; do sleep 0.1; done
avahi-daemon --no-drop-root --no-chroot --no-rlimits -f /run/avahi.conf >/dev/null 2>&1 &
"$@"
