#!/bin/sh
# Installs the Debian packages that some tests need, where that is possible: as root on Debian.
# Elsewhere those tests skip with a reason; with CI=true nothing skips, so this has to succeed.
set -eu
if [ -x /usr/lib/postgresql/15/bin/postgres ] || ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1; then
    exit 0
fi
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "==> installing PostgreSQL from the Debian package"
    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq postgresql >/dev/null
elif [ "${CI:-}" = true ]; then
    echo "PostgreSQL is missing and cannot be installed without root" >&2
    exit 1
else
    echo "==> no PostgreSQL here: its tests will be skipped (install the package postgresql)"
fi
