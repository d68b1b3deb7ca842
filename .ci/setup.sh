# Sourced by ./run and ./test: installs what is missing. Sets nothing but functions.

# need KIND...: packages of .ci/packages of those kinds that are not installed.
missing_packages() {
    while read -r kind package; do
        case " $* " in
        *" $kind "*)
            dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null |
                grep -qx installed || printf '%s ' "$package" ;;
        esac
    done < "$root/.ci/packages"
}

# install_packages YES KIND...: asks before root rights are used, unless YES is 1 or we
# are root already.
install_packages() {
    yes=$1
    shift
    if ! command -v dpkg-query >/dev/null; then
        echo "This is no Debian system: install the packages of .ci/packages by hand." >&2
        return 0
    fi
    packages=$(missing_packages "$@")
    [ -z "$packages" ] && return 0
    sudo=
    if [ "$(id -u)" != 0 ]; then
        sudo=sudo
        if [ "$yes" != 1 ]; then
            echo "Taglight needs: $packages"
            [ -t 0 ] || { echo "Run again with --yes to install them." >&2; return 1; }
            printf 'Install them with root rights? [y/N] '
            read -r answer
            case $answer in [yY]*) ;; *) return 1 ;; esac
        fi
    fi
    $sudo apt-get update -qq
    # shellcheck disable=SC2086
    $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq $packages >/dev/null
}
