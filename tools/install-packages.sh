#!/bin/sh
# Installs Debian packages and nothing more: no service of theirs is started or enabled, no database cluster is made.
# Run as root: sh tools/install-packages.sh PACKAGE...
#
# Three guards stand while apt-get works, and are taken down whatever happens to this script:
#   policy-rc.d           answers "do not start" to maintainer scripts, for as long as the lock below is held. The lock is
#                         held by this process and its children, so even after kill -9 the guard outlives apt-get, never
#                         more; found without a holder, it takes itself down.
#   createcluster.d       tells postgresql-common not to make the cluster "main".
#   the list of packages  that were there before: what is new afterwards gets its units disabled, what was there is left
#                         alone. An interrupted run is finished by the next one.
set -eu

state=/var/lib/understudy
lock=$state/install.lock
before=$state/packages-before
policy=/usr/sbin/policy-rc.d
saved=$policy.understudy-saved
no_cluster=/etc/postgresql-common/createcluster.d/understudy.conf

installed() {
  dpkg-query --show --showformat '${db:Status-Abbrev} ${binary:Package}\n' | awk '$1 == "ii" { print $2 }' | LC_ALL=C sort
}

raise_guards() {
  if [ -e "$policy" ] && ! grep -q 'raised by Understudy' "$policy"; then
    cp -p "$policy" "$saved"
  fi
  cat >"$policy.new" <<EOF
#!/bin/sh
# A guard raised by Understudy (tools/install-packages.sh) while it installs packages.
flock --nonblock --conflict-exit-code 101 $lock true || exit 101
if [ -e $saved ]; then
  mv $saved $policy
  exec $policy "\$@"
fi
rm -f $policy
EOF
  chmod 755 "$policy.new"
  mv "$policy.new" "$policy"
  mkdir -p "${no_cluster%/*}"
  echo 'create_main_cluster = false' >"$no_cluster"
  # Also what an earlier, interrupted run had begun counts as ours.
  [ -e "$before" ] || { installed >"$before.new" && mv "$before.new" "$before"; }
}

take_down_guards() {
  if [ -e "$saved" ]; then mv "$saved" "$policy"; else rm -f "$policy"; fi
  rm -f "$no_cluster"
  rmdir --ignore-fail-on-non-empty "${no_cluster%/*}" 2>/dev/null || true
}

# What a package brings into /lib/systemd/system and /etc/init.d, if it was not there before.
disable_what_is_new() {
  installed | LC_ALL=C comm -13 "$before" - | while read -r package; do
    dpkg-query --listfiles "$package" | while read -r file; do
      case $file in
        /lib/systemd/system/*@.*) ;;
        /lib/systemd/system/*.service | /lib/systemd/system/*.timer | /lib/systemd/system/*.socket | /lib/systemd/system/*.path)
          deb-systemd-helper disable "${file##*/}" >/dev/null 2>&1 || true
          ;;
        /etc/init.d/*) update-rc.d "${file##*/}" disable >/dev/null 2>&1 || true ;;
      esac
    done
  done
  if [ -d /run/systemd/system ]; then systemctl daemon-reload || true; fi
  rm -f "$before"
}

mkdir -p "$state"
exec 9>"$lock"
flock --wait 300 9 || {
  echo "another set-up has been installing packages for 5 minutes; try again when it is done" >&2
  exit 1
}
trap 'status=$?; trap - EXIT; disable_what_is_new; take_down_guards; exit $status' EXIT
trap 'exit 130' INT HUP TERM
raise_guards

export DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1
# A run of dpkg that was cut off has to be finished before apt-get does anything else.
[ -z "$(dpkg --audit)" ] || dpkg --configure --pending
[ $# -gt 0 ] || exit 0

quick='-o Acquire::http::Timeout=15 -o Acquire::https::Timeout=15 -o Acquire::Retries=1'
# shellcheck disable=SC2086 # options, to be split
apt-get update --quiet=2 $quick || echo "apt-get update failed; trying with the package lists that are there" >&2
# shellcheck disable=SC2086
apt-get install --quiet=2 --yes --no-install-recommends --no-remove --no-upgrade \
  -o Dpkg::Use-Pty=0 -o Dpkg::Options::=--force-confold -o Dpkg::Options::=--force-confdef $quick "$@"
