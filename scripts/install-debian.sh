#!/bin/bash
# Installs what the tests run beside Python: RabbitMQ, PostgreSQL, Chromium, libfaketime and systemd, from Debian's packages.
# Does nothing, at once, when all is there. The packages' own services stay off: the tests start private servers.
set -euo pipefail

have_rabbitmq() { compgen -G '/usr/lib/rabbitmq/lib/rabbitmq_server-*/sbin/rabbitmq-server'; }
have_postgresql() { compgen -G '/usr/lib/postgresql/*/bin/postgres'; }
have_chromium() { command -v chromium; }
have_fonts() { compgen -G '/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf'; }
have_chinese() { compgen -G '/usr/share/fonts/truetype/wqy/wqy-microhei.ttc'; }
have_faketime() { compgen -G '/usr/lib/*/faketime/libfaketimeMT.so.1'; }
have_systemd() { command -v systemd-analyze; }  # which checks units, running or not

missing=()
have_rabbitmq >/dev/null || missing+=(rabbitmq-server)
have_postgresql >/dev/null || missing+=(postgresql)
have_chromium >/dev/null || missing+=(chromium)
have_fonts >/dev/null || missing+=(fonts-dejavu-core)
have_chinese >/dev/null || missing+=(fonts-wqy-microhei)
have_faketime >/dev/null || missing+=(libfaketime)
have_systemd >/dev/null || missing+=(systemd)
[ ${#missing[@]} -gt 0 ] || exit 0

if ! command -v apt-get >/dev/null; then
    echo "The tests need ${missing[*]} (names of Debian's packages), and there is no apt-get here to install them." >&2
    exit 1
fi
if [ "$(id -u)" -ne 0 ]; then
    echo "The tests need ${missing[*]}. Install them with:" >&2
    echo "    sudo $(realpath "$0")" >&2
    exit 1
fi

# Debian's packages start their service on installation, unless this script says 101, "forbidden".
policy=/usr/sbin/policy-rc.d
kept=$policy.before-waybill

forbid_services() {
    if [ -e "$policy" ] && [ ! -e "$kept" ]; then mv "$policy" "$kept"; fi
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
}

restore_services() {
    rm -f "$policy"
    if [ -e "$kept" ]; then mv "$kept" "$policy"; fi
}

trap restore_services EXIT
trap 'exit 143' TERM
trap 'exit 130' INT
forbid_services

quietly() {
    local log
    log=$(mktemp)
    "$@" >"$log" 2>&1 </dev/null || { cat "$log" >&2; rm -f "$log"; return 1; }
    rm -f "$log"
}

export DEBIAN_FRONTEND=noninteractive
apt=(apt-get -q -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3)
echo "Installing ${missing[*]}"
quietly "${apt[@]}" update
quietly "${apt[@]}" install -y --no-install-recommends "${missing[@]}"
