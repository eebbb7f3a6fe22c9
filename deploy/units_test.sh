#!/bin/bash
# systemd-analyze verify over the units, whose programs are looked for where this tree has none: `true` stands for them.
set -euo pipefail

if ! command -v systemd-analyze >/dev/null; then
  echo "systemd-analyze is not installed; install the Debian package systemd" >&2
  exit 1
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for unit in "$@"; do
  sed 's|^ExecStart=/usr/bin/sluice-[a-z]*|ExecStart=/bin/true|' "$unit" >"$work/$(basename "$unit")"
  grep -q '^ExecStart=/bin/true --config /etc/sluice/' "$work/$(basename "$unit")" || {
    echo "$unit does not start a program with its config" >&2
    exit 1
  }
done
# Warnings are printed and do not change the exit status, so nothing may be printed at all.
output=$(systemd-analyze verify --man=no "$work"/*.service 2>&1) || {
  echo "$output"
  exit 1
}
[[ -z $output ]] || {
  echo "$output"
  exit 1
}
