#!/bin/bash
# Proves the set-up on a machine with nothing on it: a Debian 12 of 200 MB in a folder, with mount and process spaces of
# its own but the network and ports of this machine. For developers, as root, with debootstrap installed.
#
#   tools/bare-machine.sh new USER              a fresh machine with a clone of this checkout's HEAD; USER is root or dev
#                                               (an ordinary one who may use sudo)
#   tools/bare-machine.sh run USER COMMAND...   runs a command in the clone; what it leaves running ends with it
#   tools/bare-machine.sh check USER            fails if the set-up left a service enabled, a cluster or a guard behind
#   tools/bare-machine.sh remove USER
#
# Example: tools/bare-machine.sh new dev && tools/bare-machine.sh run dev make up ARGS="--port-offset 900"
set -euo pipefail

project=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
folder=${BARE_FOLDER:-/tmp/understudy-bare}
base=$folder/base

fail() { echo "bare-machine: $*" >&2 && exit 2; }
[ "$(id -u)" = 0 ] || fail "only root can make a machine"
[ $# -ge 2 ] || fail "usage: $0 new|run|check|remove root|dev [COMMAND...]"
action=$1 user=$2
shift 2
case $user in
  root) home=/root ;;
  dev) home=/home/dev ;;
  *) fail "\"$user\" is no user of the machine. Allowed: root, dev." ;;
esac
machine=$folder/$user
inner=''

# What the network needs, and nothing else of this machine's settings: name servers, private certificate authorities,
# proxies and mirrors.
passed_on='http_proxy|https_proxy|no_proxy|HTTP_PROXY|HTTPS_PROXY|NO_PROXY|GOPROXY|GOSUMDB|GONOSUMDB|NPM_CONFIG_REGISTRY'

inside() { # inside USER COMMAND...: in mount and process spaces of its own
  local as=$1
  shift
  local settings
  mapfile -t settings < <(env | grep -E "^($passed_on)=" || true)
  # Killed with this script, however that ends: nothing of the machine outlives it.
  trap '[ -z "$inner" ] || kill -KILL "$inner" 2>/dev/null || true' EXIT
  trap 'exit 130' INT HUP TERM
  # shellcheck disable=SC2016 # to be expanded inside
  unshare --mount --pid --fork --kill-child bash -c '
    machine=$1 as=$2 && shift 2
    # Its root is a file system of its own to whoever lists them.
    mount --bind "$machine" "$machine"
    mount -t proc proc "$machine/proc"
    mount --rbind /dev "$machine/dev"
    mount -t tmpfs tmpfs "$machine/run"
    exec chroot --userspec="$as" "$machine" "$@"
  ' _ "$machine" "$as" /usr/bin/env -i "${settings[@]}" \
    HOME="$([ "$as" = root ] && echo /root || echo "$home")" USER="$as" LANG=C.UTF-8 TERM="${TERM:-dumb}" \
    PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$@" </dev/null &
  inner=$!
  local status=0
  wait "$inner" || status=$?
  inner=''
  return $status
}

new_machine() {
  [ -e "$base/etc/debian_version" ] || debootstrap --variant=minbase bookworm "$base" >"$folder.log" 2>&1 ||
    fail "debootstrap failed, see $folder.log"
  rm -rf "$machine"
  cp -a "$base" "$machine"
  cp -L /etc/resolv.conf "$machine/etc/resolv.conf"
  if [ -d /usr/local/share/ca-certificates ]; then
    cp -r /usr/local/share/ca-certificates "$machine/usr/local/share/"
  fi
  # All that is asked of a person is make, and sudo for one who is not root; curl is for looking at the result.
  inside root sh -c 'apt-get update -qq && apt-get install -qq -y --no-install-recommends make sudo curl' >/dev/null
  if [ "$user" = dev ]; then
    inside root useradd --create-home --shell /bin/bash dev
    echo 'dev ALL=(ALL) NOPASSWD: ALL' >"$machine/etc/sudoers.d/dev"
  fi
  git clone --quiet --no-hardlinks "$project" "$machine$home/understudy"
  inside root chown -R "$user:" "$home/understudy"
}

check_machine() {
  local wrong=0
  local enabled
  enabled=$(find "$machine/etc/systemd/system" -name '*.service' -path '*.wants/*' |
    grep -E 'postgres|redis|nginx|prometheus' || true)
  [ -z "$enabled" ] || { echo "enabled: $enabled" && wrong=1; }
  [ -z "$(ls -A "$machine/var/lib/postgresql/15" 2>/dev/null)" ] || { echo "a database cluster was made" && wrong=1; }
  [ ! -e "$machine/usr/sbin/policy-rc.d" ] || { echo "policy-rc.d is still there" && wrong=1; }
  [ ! -e "$machine/var/lib/understudy/packages-before" ] || { echo "an installation is unfinished" && wrong=1; }
  [ $wrong = 0 ] && echo "no service enabled, no cluster, no guard left"
}

mkdir -p "$folder"
case $action in
  new) new_machine ;;
  # shellcheck disable=SC2016 # to be expanded inside
  run) inside "$user" sh -c 'cd ~/understudy && exec "$@"' _ "$@" ;;
  check) check_machine ;;
  remove) rm -rf --one-file-system "$machine" ;;
  *) fail "\"$action\" is no action. Allowed: new, run, check, remove." ;;
esac
