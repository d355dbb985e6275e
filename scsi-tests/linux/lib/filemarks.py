# One filemark after another, each written and answered before the next:  filemarks.py DEVICE COUNT
import fcntl
import struct
import sys

MTIOCTOP, MTWEOF = 0x40086D01, 5

with open(sys.argv[1], "r+b", buffering=0) as tape:
    for _ in range(int(sys.argv[2])):
        fcntl.ioctl(tape, MTIOCTOP, struct.pack("hi", MTWEOF, 1))
