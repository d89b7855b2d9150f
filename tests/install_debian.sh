#!/bin/sh
# Installs the Debian packages that some tests need, where that is possible: as root on Debian.
# Elsewhere those tests skip with a reason; with CI=true nothing skips, so this has to succeed.
set -eu
missing=
ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1 || missing="postgresql"
command -v ip >/dev/null || missing="$missing iproute2"
command -v redis-server >/dev/null || missing="$missing redis-server"
command -v chromium >/dev/null || missing="$missing chromium"
command -v rsync >/dev/null || missing="$missing rsync"
test -x /usr/sbin/sshd || missing="$missing openssh-server"
if [ -z "$missing" ]; then
    exit 0
fi
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "==> installing Debian packages: $missing"
    # Tests start what they need themselves: no server of a package, sshd say, is to listen here.
    policy=/usr/sbin/policy-rc.d
    if [ ! -e $policy ]; then
        trap 'rm -f $policy' EXIT
        printf '#!/bin/sh\nexit 101\n' >$policy && chmod +x $policy
    fi
    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq $missing >/dev/null
elif [ "${CI:-}" = true ]; then
    echo "missing, and not to be installed without root: $missing" >&2
    exit 1
else
    echo "==> their tests will be skipped; install what is missing: $missing"
fi
