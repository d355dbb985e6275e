//! What a Linux host has to do to log in, line by line.

use std::net::SocketAddr;

/// What a host proves, and what it wants proved.
pub(super) struct Login<'a> {
    /// Where it connects to.
    pub(super) listen: SocketAddr,
    /// Its user and secret.
    pub(super) own: (&'a str, &'a str),
    /// User and secret of the portal.
    pub(super) portal: (&'a str, &'a str),
}

impl Login<'_> {
    /// Commands of open-iscsi: discovery with CHAP, then the same for each target, at each start of the host from now
    /// on. They are typed at another machine, so the secrets are in them.
    pub(super) fn lines(&self) -> Vec<String> {
        let portal = self.portal_address();
        let discovery = format!("iscsiadm -m discoverydb -t sendtargets -p {portal}");
        let node = format!("iscsiadm -m node -p {portal}");
        let mut lines = vec![format!("{discovery} -o new")];
        lines.extend(self.settings(&format!("{discovery} -o update -n discovery.sendtargets.auth.")));
        lines.push(format!("{discovery} --discover"));
        lines.extend(self.settings(&format!("{node} -o update -n node.session.auth.")));
        lines.push(format!("{node} -o update -n node.startup -v automatic"));
        lines.push(format!("{node} --login"));
        lines
    }

    fn settings(&self, prefix: &str) -> [String; 5] {
        [
            ("authmethod", "CHAP"),
            ("username", self.own.0),
            ("password", self.own.1),
            ("username_in", self.portal.0),
            ("password_in", self.portal.1),
        ]
        .map(|(name, value)| format!("{prefix}{name} -v {value}"))
    }

    fn portal_address(&self) -> String {
        if self.listen.ip().is_unspecified() {
            format!("ADDRESS-OF-THIS-MACHINE:{}", self.listen.port())
        } else {
            self.listen.to_string()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn discovery_and_login_in_both_directions() {
        let login =
            Login { listen: "[fd00::1]:3260".parse().unwrap(), own: ("iqn.a", "SECRET"), portal: ("gw", "OTHER") };
        assert_eq!(
            login.lines(),
            [
                "iscsiadm -m discoverydb -t sendtargets -p [fd00::1]:3260 -o new",
                "iscsiadm -m discoverydb -t sendtargets -p [fd00::1]:3260 -o update -n discovery.sendtargets.auth.authmethod -v CHAP",
                "iscsiadm -m discoverydb -t sendtargets -p [fd00::1]:3260 -o update -n discovery.sendtargets.auth.username -v iqn.a",
                "iscsiadm -m discoverydb -t sendtargets -p [fd00::1]:3260 -o update -n discovery.sendtargets.auth.password -v SECRET",
                "iscsiadm -m discoverydb -t sendtargets -p [fd00::1]:3260 -o update -n discovery.sendtargets.auth.username_in -v gw",
                "iscsiadm -m discoverydb -t sendtargets -p [fd00::1]:3260 -o update -n discovery.sendtargets.auth.password_in -v OTHER",
                "iscsiadm -m discoverydb -t sendtargets -p [fd00::1]:3260 --discover",
                "iscsiadm -m node -p [fd00::1]:3260 -o update -n node.session.auth.authmethod -v CHAP",
                "iscsiadm -m node -p [fd00::1]:3260 -o update -n node.session.auth.username -v iqn.a",
                "iscsiadm -m node -p [fd00::1]:3260 -o update -n node.session.auth.password -v SECRET",
                "iscsiadm -m node -p [fd00::1]:3260 -o update -n node.session.auth.username_in -v gw",
                "iscsiadm -m node -p [fd00::1]:3260 -o update -n node.session.auth.password_in -v OTHER",
                "iscsiadm -m node -p [fd00::1]:3260 -o update -n node.startup -v automatic",
                "iscsiadm -m node -p [fd00::1]:3260 --login",
            ]
        );
        let everywhere = Login { listen: "0.0.0.0:3260".parse().unwrap(), ..login };
        assert!(everywhere.lines()[0].ends_with("-p ADDRESS-OF-THIS-MACHINE:3260 -o new"));
    }
}
