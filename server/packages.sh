# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# Installs what server/packages lists; sourced by quickstart.sh and tests/run.sh.

# packages_of LIST ROLE...: the packages that have one of these roles.
packages_of() {
    packages_list=$1
    shift
    for packages_role in "$@"; do
        while read -r role package _; do
            if [ "$role" = "$packages_role" ]; then
                echo "$package"
            fi
        done <"$packages_list"
    done
}

is_installed() {
    dpkg-query --show --showformat='${db:Status-Status}\n' "$1" 2>/dev/null | grep -qx installed
}

# install_packages LIST ROLE...: installs those that are missing; needs root only for that.
install_packages() {
    missing=
    for package in $(packages_of "$@"); do
        is_installed "$package" || missing="$missing $package"
    done
    if [ -z "$missing" ]; then
        return 0
    fi
    echo "Installing packages:$missing"
    if [ "$(id -u)" -ne 0 ]; then
        echo "Please run this as root, or first: apt-get install$missing" >&2
        return 1
    fi
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq
    # shellcheck disable=SC2086 # a list of names
    apt-get install -y -qq --no-install-recommends $missing >/dev/null
}
