//! What an initiator may be called. [RFC 7143 4.2.7]

/// Longest name, bytes. [RFC 7143 4.2.7.1]
const LONGEST: usize = 223;

/// The rule, as messages and the reference say it.
pub(super) const ALLOWED: &str = "an iSCSI name: \"iqn.\", year and month, a domain turned round, and what its owner \
                                  likes, as \"iqn.1993-08.org.debian:01:abcdef\"; or \"eui.\" and 16, or \"naa.\" and \
                                  16 or 32, hexadecimal digits";

/// Whether a name is one, in the ASCII that every initiator keeps to. Letters may be of either case: names are
/// compared without it, as stringprep has it. [RFC 7143 4.2.7.2]
pub(crate) fn is_name(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let hexadecimal = |text: &str| text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if name.len() > LONGEST {
        return false;
    }
    match name.split_at_checked(4) {
        Some(("iqn.", rest)) => is_qualified(rest),
        Some(("eui.", rest)) => rest.len() == 16 && hexadecimal(rest),
        Some(("naa.", rest)) => [16, 32].contains(&rest.len()) && hexadecimal(rest),
        _ => false,
    }
}

/// What follows `iqn.`: `2026-11.io.capstan`, then perhaps `:` and anything of the alphabet.
fn is_qualified(rest: &str) -> bool {
    let (authority, own) = rest.split_once(':').map_or((rest, None), |(authority, own)| (authority, Some(own)));
    let Some((date, domain)) = authority.split_once('.') else { return false };
    let is_label = |label: &str| {
        !label.is_empty()
            && label.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
    };
    is_month(date)
        && domain.split('.').all(is_label)
        && own.is_none_or(|own| {
            let inside = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-.:".contains(&byte);
            !own.is_empty() && own.bytes().all(inside)
        })
}

/// `yyyy-mm`
fn is_month(date: &str) -> bool {
    let Some((year, month)) = date.split_once('-') else { return false };
    let digits = |text: &str, length| text.len() == length && text.bytes().all(|byte| byte.is_ascii_digit());
    digits(year, 4) && digits(month, 2) && month.parse().is_ok_and(|month: u8| (1..=12).contains(&month))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_the_three_kinds() {
        let long = format!("iqn.2026-11.io.capstan:{}", "a".repeat(200));
        for good in [
            "iqn.1993-08.org.debian:01:abcdef0123",
            "iqn.1991-05.com.microsoft:WIN-7.example.com",
            "IQN.1994-05.com.redhat:x",
            "iqn.2026-11.io.capstan",
            "eui.02004567A425678D",
            "naa.52004567BA64678D",
            "naa.62004567BA64678D0123456789ABCDEF",
            &long,
        ] {
            assert!(is_name(good), "{good}");
        }
        let longer = format!("{long}a");
        for bad in [
            "",
            "host",
            "iqn.",
            "iqn.2026-13.io.capstan:x",
            "iqn.2026-00.io.capstan:x",
            "iqn.26-11.io.capstan:x",
            "iqn.2026-11:x",
            "iqn.2026-11.:x",
            "iqn.2026-11.io..capstan:x",
            "iqn.2026-11.io.capstan:",
            "iqn.2026-11.io.capstan:a b",
            "iqn.2026-11.io.capstan:a_b",
            "iqn.2026-11.io.capstan:ü",
            "iqn.2026-11.io_x.capstan:a",
            "iqn.+026-11.io.capstan:a",
            "eui.02004567A425678",
            "eui.02004567A425678G",
            "naa.52004567BA64678D0",
            "üqn.2026-11.io.capstan:x",
            &longer,
        ] {
            assert!(!is_name(bad), "{bad}");
        }
    }
}
