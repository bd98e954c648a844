#!/usr/bin/env bash
# Make sure the system has what a step needs and pip cannot bring.
#
#   scripts/system_packages.sh venv PYTHON   what `PYTHON -m venv` needs
#   scripts/system_packages.sh gui           a screen without a monitor, a window manager, and the libraries of Qt
#   scripts/system_packages.sh peers         what results are compared with: ImageJ, dciodvfy
#
# Installs what is missing through apt-get or dnf when it may (root, or sudo without a password);
# otherwise prints the one line to type and fails.
set -euo pipefail

# what is looked for: apt package: dnf package
PROGRAMS='
Xvfb:xvfb:xorg-x11-server-Xvfb
xvfb-run:xvfb:xorg-x11-server-Xvfb
xauth:xauth:xorg-x11-xauth
openbox:openbox:openbox
'
LIBRARIES='
libGL.so.1:libgl1:libglvnd-glx
libXtst.so.6:libxtst6:libXtst
libEGL.so.1:libegl1:libglvnd-egl
libOpenGL.so.0:libopengl0:libglvnd-opengl
libdbus-1.so.3:libdbus-1-3:dbus-libs
libfontconfig.so.1:libfontconfig1:fontconfig
libglib-2.0.so.0:libglib2.0-0:glib2
libxkbcommon-x11.so.0:libxkbcommon-x11-0:libxkbcommon-x11
libxcb-cursor.so.0:libxcb-cursor0:xcb-util-cursor
libxcb-icccm.so.4:libxcb-icccm4:xcb-util-wm
libxcb-image.so.0:libxcb-image0:xcb-util-image
libxcb-keysyms.so.1:libxcb-keysyms1:xcb-util-keysyms
libxcb-randr.so.0:libxcb-randr0:libxcb
libxcb-render-util.so.0:libxcb-render-util0:xcb-util-renderutil
libxcb-shape.so.0:libxcb-shape0:libxcb
libxcb-xkb.so.1:libxcb-xkb1:libxcb
'
# Debian's names only: elsewhere they come from their makers.
PEERS='
dciodvfy:dicom3tools:dicom3tools
imagej:imagej:imagej
java:default-jre-headless:java-headless
'
MESA='software renderer:libgl1-mesa-dri:mesa-dri-drivers'
FONT='a font:fonts-dejavu-core:dejavu-sans-fonts'

MISSING=""

miss() { # entry
  MISSING="$MISSING$1
"
}

find_missing_gui() {
  local entry name known
  known=$(PATH="$PATH:/sbin:/usr/sbin" ldconfig -p)
  for entry in $PROGRAMS; do
    command -v "${entry%%:*}" >/dev/null || miss "$entry"
  done
  for entry in $LIBRARIES; do
    name=${entry%%:*}
    grep -qF "$name" <<<"$known" || miss "$entry"
  done
  if [ -z "$(find /usr/lib* -name swrast_dri.so -o -name 'libgallium*.so' 2>/dev/null | head -n 1)" ]; then
    miss "$MESA"
  fi
  if [ -z "$(find /usr/share/fonts -name '*.[ot]tf' 2>/dev/null | head -n 1)" ]; then
    miss "$FONT"
  fi
}

find_missing_peers() {
  local entry
  for entry in $PEERS; do
    command -v "${entry%%:*}" >/dev/null || miss "$entry"
  done
}

find_missing_venv() { # python
  local version
  version=$("$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
  "$1" -c 'import ensurepip, venv' 2>/dev/null || miss "venv of $1:python$version-venv:python$version"
}

packages() { # column
  printf '%s' "$MISSING" | cut -d: -f"$1" | sort -u | tr '\n' ' ' | sed 's/ $//'
}

as_root() {
  if [ "$(id -u)" -eq 0 ]; then
    "$@"
  else
    sudo -n "$@"
  fi
}

main() {
  case "${1:-}" in
    gui) [ "$(uname -s)" = Linux ] || exit 0; find_missing_gui ;;
    peers) [ "$(uname -s)" = Linux ] || exit 0; find_missing_gui; find_missing_peers ;;
    venv) find_missing_venv "${2:?which Python}" ;;
    *) echo "usage: $0 gui | peers | venv PYTHON" >&2; exit 2 ;;
  esac
  [ -n "$MISSING" ] || exit 0

  echo "missing from this system: $(packages 1)" >&2
  local apt dnf line
  apt=$(packages 2)
  dnf=$(packages 3)
  if command -v apt-get >/dev/null; then
    line="apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $apt"
  elif command -v dnf >/dev/null; then
    line="dnf install -y $dnf"
  else
    echo "Install them with this system's package manager (their names on Debian: $apt)." >&2
    exit 1
  fi
  if [ "$(id -u)" -ne 0 ] && ! sudo -n true 2>/dev/null; then
    echo "Installing them needs an administrator. Please type:" >&2
    echo "  sudo sh -c '$line'" >&2
    exit 1
  fi
  echo "+ $line" >&2
  as_root sh -c "$line" </dev/null >&2
}

main "$@"
