#!/bin/bash
# Trouble for a tar that writes, called by it at its checkpoints:  trouble.sh CHECKPOINT link SECONDS | session ID | rescan
#
# At the checkpoint the network is gone for so long, the administrator ends a session, or Linux looks at all devices again. CHECKPOINT and the rest are
# arguments, $TAR_CHECKPOINT is tar's.
[ "$TAR_CHECKPOINT" = "$1" ] || exit 0
. /rig/lib/job.sh
case $2 in
    link)
        # Not at once: tar goes on and has commands on the way when it happens. It must not hold tar's files open.
        {
            sleep 0.0$((RANDOM % 90 + 10))
            ip link set vec0 down
            sleep "$3"
            ip link set vec0 up
            touch /tmp/over
        } <&- >/dev/null 2>&1 3<&- 4<&- 5<&- 6<&- 7<&- 8<&- 9<&- &
        ;;
    session)
        host capstan session drop --yes "$3" >/tmp/dropped
        touch /tmp/over
        ;;
    rescan)
        iscsiadm --mode session --rescan >/tmp/rescanned
        touch /tmp/over
        ;;
esac
