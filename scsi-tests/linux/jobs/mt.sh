#!/bin/bash
# Every operation of mt that needs no partition ends at the file and block that st expects and at the logical block that
# the drive reports; what a drive must refuse is refused, and the status flags follow the medium.
#
. /rig/lib/job.sh
. /rig/lib/initiator.sh
. /rig/lib/changer.sh
. /rig/lib/tape.sh

TAPE_LINES=$(cat <<'LINES'
SCSI 2 tape drive:
File number=0, block number=0, partition=0.
Tape block size 0 bytes. Density code 0x5e (LTO-8).
Soft error count since last status=0
General status bits on (41010000):
 BOT ONLINE IM_REP_EN
LINES
)

# Three files of 10, 5 and 3 blocks of 1 KiB: filemarks are logical blocks 10, 16 and 20, end of data is 21.
write_three_files() {
    tape rewind
    part /tmp/data 1024 0 10 | write_blocks 1024 10
    part /tmp/data 1024 10 5 | write_blocks 1024 5
    part /tmp/data 1024 15 3 | write_blocks 1024 3
}

login 0
TAPE=${NST[0]}
random /tmp/data 65536
assert_eq "no cartridge" "$(flags)" "DR_OPEN IM_REP_EN"
load 1 0
assert_eq "status" "$(tape status)" "$TAPE_LINES"
write_three_files
expect 3 0 21
assert_eq "after a filemark" "$(flags)" "EOF ONLINE IM_REP_EN"
step "status, before and after writing"

tape rewind
expect 0 0 0
tape fsf 1
expect 1 0 11
tape fsf 1
expect 2 0 17
tape rewind
tape fsf 3
expect 3 0 21
refuses "Input/output error" tape fsf 1
expect 3 -1 21
assert_eq "at end of data" "$(flags)" "EOD ONLINE IM_REP_EN"
tape bsf 1
expect 2 -1 20
tape bsf 2
expect 0 -1 10
refuses "Input/output error" tape bsf 1
expect 0 0 0
assert_eq "stopped at the beginning" "$(flags)" "BOT ONLINE IM_REP_EN"
step "rewind, fsf, bsf, with both ends of the tape"

tape fsfm 1
expect 0 -1 10
tape fsfm 2
expect 1 -1 16
tape bsfm 1
expect 1 0 11
tape fsr 3
expect 1 3 14
tape bsr 1
expect 1 2 13
assert_eq "between blocks" "$(flags)" "ONLINE IM_REP_EN"
refuses "Input/output error" tape fsr 5
expect 2 0 17
refuses "Input/output error" tape bsr 1
expect 1 -1 16
tape bsr 2
expect 1 -1 14
step "fsfm, bsfm, fsr, bsr, with the filemarks that stop them"

tape rewind
tape eod
expect 3 -1 21
tape asf 2
expect 2 0 17
tape asf 0
expect 0 0 0
tape seod
expect 3 -1 21
assert_eq "at end of data" "$(flags)" "EOD ONLINE IM_REP_EN"
tape seek 12
expect -1 -1 12
refuses "Input/output error" tape seek 999
expect -1 -1 21
tape seek 0
expect 0 0 0
step "eod, seod, asf, seek, tell"

tape eod
tape weof 2
expect 5 0 23
tape eof 1
expect 6 0 24
tape asf 1
tape weof 1
expect 2 0 12
tape eod
expect 2 -1 12
tape rewind
part /tmp/data 1024 0 10 | reads 1024
expect 1 0 11
assert_eq "nothing between two filemarks" "$(read_blocks 1024 | wc -c)" 0
expect 2 0 12
step "weof, eof; a filemark in the middle cuts off what was behind it"

write_three_files
tape asf 1
tape erase
expect 1 0 11
tape eod
expect 1 -1 11
tape rewind
part /tmp/data 1024 0 10 | reads 1024
tape rewind
tape erase
expect 0 0 0
tape eod
expect 0 -1 0
step "erase, from the middle and from the beginning"

tape rewind
tape setblk 512
assert_eq "block size" "$(tape status | sed -n 3p)" "Tape block size 512 bytes. Density code 0x5e (LTO-8)."
part /tmp/data 4096 0 1 | write_blocks 4096 1
expect 1 0 9
tape rewind
tape fsr 3
expect 0 3 3
part /tmp/data 512 3 2 | reads 1024 1
expect 0 5 5
refuses "Invalid argument" tape setblk 8388609
tape setblk 0
assert_eq "block size" "$(tape status | sed -n 3p)" "Tape block size 0 bytes. Density code 0x5e (LTO-8)."
tape setdensity 0x5e
refuses "Input/output error" tape setdensity 0x42
step "setblk, setdensity"

tape compression 0
assert_eq "compression" "$(tapeinfo -f "${SG[0]}" | sed -n 's/^DataCompEnabled: //p')" no
tape compression 1
assert_eq "compression" "$(tapeinfo -f "${SG[0]}" | sed -n 's/^DataCompEnabled: //p')" yes
tape drvbuffer 1
tape stsetoptions scsi2logical
assert_eq "options" "$(tape stshowoptions | xargs)" \
    "The options set: buffer-writes async-writes read-ahead can-bsr scsi2logical"
tape seek 4
assert_eq "logical block" "$(tell)" 4
tape stclearoptions scsi2logical
tape stwrthreshold 64
for setting in "defblksize 0" "defdensity 0x5e" "defdrvbuffer 1" "defcompression 1" "stsetcln 0" "sttimeout 900" \
    "stlongtimeout 14000"; do
    # shellcheck disable=SC2086
    tape $setting
done
assert_eq "density in mt's table" "$(tape densities | grep -c '0x5e   LTO-8')" 1
step "compression, drvbuffer, options, timeouts, densities"

refuses "Input/output error" tape wset 1
refuses "Input/output error" tape fss 1
refuses "Input/output error" tape bss 1
refuses "Invalid argument" tape setpartition 0
step "setmarks and partitions are refused"

write_three_files
tape retension
expect 0 0 0
tape fsf 2
# No new cartridge, so no unit attention, without which st keeps its numbers; the drive is at the beginning.
tape load
expect 2 0 0
tape rewind
for verb in offline rewoffl eject; do
    tape $verb
    assert_eq "after $verb" "$(position)|$(flags)" "-1 -1|DR_OPEN IM_REP_EN"
    assert_eq "the cartridge is still in the drive" "$(full | sed -n 1p)" "drive 0 CAP001L8 from 1"
    tape load
    expect 0 0 0
done
part /tmp/data 1024 0 10 | reads 1024
step "retension, load, offline, rewoffl, eject"

tape lock
refuses "Additional Sense Code = 53" mtx -f "$CHANGER" unload 1 0
assert_eq "locked in" "$(full | sed -n 1p)" "drive 0 CAP001L8 from 1"
tape unlock
unload 1 0
assert_eq "unloaded" "$(full)" "$(ten_in_slots)"
assert_eq "no cartridge" "$(flags)" "DR_OPEN IM_REP_EN"
step "lock, unlock"

host capstan tape protect CAP001L8 >/dev/null
load 1 0
assert_eq "protected" "$(position)|$(flags)" "0 0|BOT WR_PROT ONLINE IM_REP_EN"
refuses "Read-only file system" write_blocks 1024 1 </tmp/data
# mt opens the device for writing, which st refuses; on a device that is open for reading st refuses the filemark.
refuses "Read-only file system" tape weof 1
refuses "Permission denied" perl /rig/lib/held.pl weof <"$TAPE"
expect 0 0 0
part /tmp/data 1024 0 10 | reads 1024
unload 1 0
host capstan tape unprotect CAP001L8 >/dev/null
load 1 0
assert_eq "not protected" "$(flags)" "BOT ONLINE IM_REP_EN"
step "write protection"
