#!/usr/bin/env bash
# Installs what the ledger's tests need to run on PostgreSQL too: its server, from the machine's own Debian mirror.
# The tests start a server of their own, without a network, in a folder that goes when they end.
set -euo pipefail

sudo=()
[ "$(id -u)" -eq 0 ] || sudo=(sudo)
export DEBIAN_FRONTEND=noninteractive

server() { ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1; }

if [ -n "$(server)" ]; then
    echo "$("$(server)/postgres" --version) 已安装。"
    exit 0
fi
"${sudo[@]}" apt-get update -qq
# The package would start a server of its own for the whole machine.
"${sudo[@]}" mkdir -p /etc/postgresql-common
echo 'create_main_cluster = false' | "${sudo[@]}" tee /etc/postgresql-common/createcluster.conf >/dev/null
"${sudo[@]}" apt-get install -y -qq --no-install-recommends postgresql >/dev/null
echo "$("$(server)/postgres" --version) 已安装。"
