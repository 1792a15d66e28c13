# Sourced by the set-up scripts: installs Debian packages that are missing.

# Runs a command as root.
as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        echo "This needs root and there is no sudo. Run as root: $*" >&2
        return 1
    fi
}

# Whether a Debian package is installed.
is_installed() {
    case "$(dpkg-query --show --showformat='${db:Status-Abbrev}' "$1" 2>/dev/null)" in
        ii*) return 0 ;;
        *) return 1 ;;
    esac
}

# Installs those of the packages that are missing. Where there is no apt, the person has seen to them: docs/BUILDING.md says how.
ensure_packages() {
    if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
        return 0
    fi
    local missing=() package
    for package in "$@"; do
        is_installed "$package" || missing+=("$package")
    done
    if [ ${#missing[@]} -eq 0 ]; then
        return 0
    fi
    echo "Installing ${missing[*]}"
    # An outdated list may still do.
    as_root apt-get update -q </dev/null || echo "The list of packages could not be updated." >&2
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "${missing[@]}" </dev/null
}
