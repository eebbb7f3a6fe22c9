#!/bin/bash
# deploy/host on trees that look like /sys, with NICs that do not exist.
set -euo pipefail

host=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
nic=0000:3b:00.0
failures=0

# A host with one NIC at i40e in an IOMMU group of its own, and a disk.
make_host() {
  root=$work/$1
  local device=$root/sys/bus/pci/devices/$nic
  mkdir -p "$device/net/ens1" "$root"/sys/bus/pci/devices/0000:00:1f.2 "$root"/sys/bus/pci/drivers/{i40e,vfio-pci} \
    "$root/sys/kernel/iommu_groups/17/devices" "$root/sys/kernel/mm/hugepages/hugepages-2048kB" \
    "$root/sys/devices/system/node/node1" "$root/sys/devices/system/cpu"
  echo 0x020000 >"$device/class"
  echo 0x010601 >"$root/sys/bus/pci/devices/0000:00:1f.2/class"
  echo 1 >"$device/numa_node"
  ln -s "$root/sys/bus/pci/drivers/i40e" "$device/driver"
  ln -s "$root/sys/kernel/iommu_groups/17" "$device/iommu_group"
  ln -s "$device" "$root/sys/kernel/iommu_groups/17/devices/$nic"
  echo 8 >"$root/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages"
  echo 8 >"$root/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages"
  echo 8-11,24-25 >"$root/sys/devices/system/node/node1/cpulist"
  echo >"$root/sys/devices/system/cpu/isolated"
  echo 0-31 >"$root/sys/devices/system/cpu/online"
}

# expect WHAT STATUS TEXT ARGUMENT...: runs host, which must end so and say TEXT.
expect() {
  local what=$1 status=$2 text=$3 output got=0
  shift 3
  output=$("$host" --root "$root" "$@" 2>&1) || got=$?
  if [[ $got == "$status" && $output == *"$text"* ]]; then
    echo "ok: $what"
  else
    echo "FAILED: $what: status $got instead of $status, or no '$text' in: $output"
    failures=$((failures + 1))
  fi
}

# holds WHAT FILE TEXT
holds() {
  if [[ $(cat "$root$2") == "$3" ]]; then
    echo "ok: $1"
  else
    echo "FAILED: $1: $2 holds '$(cat "$root$2")' instead of '$3'"
    failures=$((failures + 1))
  fi
}

make_host whole
expect "shows NICs with driver, interface and node" 0 "$nic  driver i40e  interface ens1  NUMA node 1  IOMMU" show
expect "says which cores to isolate" 0 "isolcpus=9,10,11,24,25" show --pci $nic
expect "a dry run says what it would write" 0 "would write vfio-pci to" setup --pci $nic --dry-run
holds "a dry run changes nothing" /sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages 8
expect "undo without setup refuses" 1 "nothing to undo" undo
expect "setup binds the NIC" 0 "$nic is bound to vfio-pci (was i40e)" setup --pci $nic --hugepages 64
holds "by the override" "/sys/bus/pci/devices/$nic/driver_override" vfio-pci
holds "and reserves hugepages" /sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages 32
expect "undo gives the NIC back" 0 "$nic is given back (to i40e)" undo
holds "without override" "/sys/bus/pci/devices/$nic/driver_override" ""
holds "and the hugepages" /sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages 8
expect "and there is nothing left to undo" 1 "nothing to undo" undo
expect "a disk is no NIC" 1 "0000:00:1f.2 is not a network card" setup --pci 0000:00:1f.2
expect "a device that is not there is refused" 1 "there is no PCI device 0000:99:00.0" setup --pci 0000:99:00.0
expect "an address that is none is wrong use" 2 "is not a PCI address; allowed: 0000:3b:00.0" setup --pci eth0
expect "setup wants a NIC" 2 "setup wants --pci ADDRESS" setup
expect "hugepages are a number" 2 "--hugepages: 'lots' is not allowed" setup --pci $nic --hugepages lots
expect "an unknown verb is wrong use" 2 "there is no verb bind; allowed: show, setup, undo" bind

make_host no-iommu
rm "$root/sys/bus/pci/devices/$nic/iommu_group"
expect "without IOMMU it says how to switch it on" 1 "intel_iommu=on" setup --pci $nic

make_host shared-group
mkdir -p "$root/sys/bus/pci/devices/0000:3b:00.1" "$root/sys/bus/pci/drivers/ixgbe"
ln -s "$root/sys/bus/pci/drivers/ixgbe" "$root/sys/bus/pci/devices/0000:3b:00.1/driver"
ln -s "$root/sys/bus/pci/devices/0000:3b:00.1" "$root/sys/kernel/iommu_groups/17/devices/0000:3b:00.1"
expect "a neighbour in the IOMMU group is named" 1 "0000:3b:00.1 is in the same IOMMU group and driven by ixgbe" setup --pci $nic

if ((failures > 0)); then
  echo "$failures failed"
  exit 1
fi
