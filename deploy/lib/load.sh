# Loads the parts of the deploy scripts. Sets $root, the tree, and unless the script that loads
# it has set them $state, the folder for pid files, logs and Redis data, and $log.
# shellcheck shell=bash

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
state=${state:-${XDG_STATE_HOME:-${HOME:-/root}/.local/state}/vve}
log=${log:-$state/deploy.log}

. "$root/deploy/lib/progress.sh"
. "$root/deploy/lib/process.sh"
. "$root/deploy/lib/packages.sh"
. "$root/deploy/lib/docker.sh"
. "$root/deploy/lib/base.sh"
. "$root/deploy/lib/image.sh"
. "$root/deploy/lib/redis.sh"
. "$root/deploy/lib/web.sh"
. "$root/deploy/lib/daemon.sh"
