# Tape ioctls on a device that this process holds open:  perl held.pl OPERATION [COUNT] <&FD
#
# st lets one process at a time open a drive, so mt cannot look at a device that a job keeps open.
use strict;
use warnings;

my %operation = (fsf => 1, bsf => 2, fsr => 3, bsr => 4, weof => 5, rewind => 6, eom => 12, seek => 22, setblk => 20);
my ($name, $count) = (@ARGV, 1);

if ($name eq 'status') {
    my $mtget = pack 'x48';
    ioctl STDIN, 0x80306d02, $mtget or die "$name: $!\n";
    printf "%d %d\n", (unpack 'q5l2', $mtget)[5, 6];
} elsif ($name eq 'tell') {
    my $mtpos = pack 'x8';
    ioctl STDIN, 0x80086d03, $mtpos or die "$name: $!\n";
    printf "%d\n", unpack 'q', $mtpos;
} else {
    my $mtop = pack 's x2 l', $operation{$name} // die("unknown operation $name\n"), $count;
    ioctl STDIN, 0x40086d01, $mtop or die "$name: $!\n";
}
