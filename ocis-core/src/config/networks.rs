//! Networks of addresses in settings, such as those of trusted proxies.

use std::net::{IpAddr, Ipv6Addr};

use super::units::Value;

/// A network: an address and how many of its leading bits count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Network {
    /// An IPv4 address stands in its mapped form, so that there is one kind of arithmetic.
    address: u128,
    mask: u128,
}

/// A list of networks (CIDR) and single addresses.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Networks(Vec<Network>);

impl Networks {
    /// Whether `address` is in one of them.
    pub fn contain(&self, address: IpAddr) -> bool {
        let address = bits(address);
        self.0.iter().any(|network| address & network.mask == network.address)
    }
}

fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped(),
        IpAddr::V6(address) => address,
    }
    .to_bits()
}

impl Network {
    /// Reads `10.0.0.0/8`, `fd00::/8`, `192.0.2.1` or `2001:db8::1`. None for anything else, and
    /// for an address with bits beyond its network, which is a slip more often than it is meant.
    fn parse(text: &str) -> Option<Self> {
        let (address, length) = match text.split_once('/') {
            Some((address, length)) => (address, Some(length)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().ok()?;
        let most: u32 = if address.is_ipv4() { 32 } else { Ipv6Addr::BITS };
        let length: u32 = match length {
            None => most,
            Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
                digits.parse().ok()?
            }
            Some(_) => return None,
        };
        let host = most.checked_sub(length)?;
        let mask = u128::MAX.checked_shl(host).unwrap_or(0);
        let address = bits(address);
        (address & mask == address).then_some(Self { address, mask })
    }
}

impl Value for Networks {
    const KIND: &'static str = "list";
    const EMPTY: bool = true;

    fn parse(text: &str) -> Result<Self, String> {
        Self::from_list(<Vec<String>>::parse(text)?)
    }

    fn from_list(items: Vec<String>) -> Result<Self, String> {
        let networks = items.iter().map(|item| {
            Network::parse(item.trim()).ok_or_else(|| {
                format!(
                    " names {item:?}; right would be networks and addresses such as 10.0.0.0/8, \
                     fd00::/8 or 192.0.2.1"
                )
            })
        });
        networks.collect::<Result<_, _>>().map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_and_addresses_in_both_families() {
        let networks = Networks::parse("10.0.0.0/8, fd00::/8,192.0.2.1, 2001:db8::1").unwrap();
        let contain = |text: &str| networks.contain(text.parse().unwrap());
        for inside in
            ["10.0.0.1", "10.255.255.255", "::ffff:10.1.2.3", "fdff::1", "192.0.2.1", "2001:db8::1"]
        {
            assert!(contain(inside), "{inside}");
        }
        for outside in ["11.0.0.1", "192.0.2.2", "fe00::1", "2001:db8::2", "::1", "::a00:1"] {
            assert!(!contain(outside), "{outside}");
        }
        assert!(!Networks::default().contain("127.0.0.1".parse().unwrap()));
        assert!(Networks::parse("0.0.0.0/0").unwrap().contain("8.8.8.8".parse().unwrap()));
        assert!(!Networks::parse("0.0.0.0/0").unwrap().contain("2001:db8::1".parse().unwrap()));
        assert!(Networks::parse("::/0").unwrap().contain("2001:db8::1".parse().unwrap()));
    }

    #[test]
    fn anything_else_is_refused() {
        for text in ["10.0.0.0/33", "10.0.0.1/8", "fd00::/129", "10.0.0/8", "host", "1.2.3.4/+8"] {
            let error = Networks::parse(text).unwrap_err();
            assert!(error.contains("such as 10.0.0.0/8"), "{text}: {error}");
        }
    }
}
