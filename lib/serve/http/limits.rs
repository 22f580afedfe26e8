//! How much anybody may take: connections and requests, by address and by account.

use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use clap::Args;
use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

use super::proxies::Proxies;
use crate::access::Person;

/// Limits for those who connect. Nothing is counted against an address of this machine's own, which may be a proxy's,
/// unless told so.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Limits")]
pub struct LimitArgs {
    /// Accept at most N connections at once, and never more than four fifths of the descriptors that the system allows.
    #[arg(long, value_name = "N", default_value_t = 20_000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub max_connections: u32,

    /// Accept at most N connections at once from one address (IPv6: one network of 64 bits); 0 for no limit.
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub max_per_address: u32,

    /// Accept at most N new connections a minute from one address; 0 for no limit.
    #[arg(long, value_name = "N", default_value_t = 600)]
    pub connects_per_minute: u32,

    /// Answer at most N requests a minute from one address, and as many of one account; 0 for no limit.
    #[arg(long, value_name = "N", default_value_t = 1200)]
    pub requests_per_minute: u32,

    /// Keep at most N streams and sockets open for one account; 0 for no limit.
    #[arg(long, value_name = "N", default_value_t = 1000)]
    pub streams_per_account: u32,

    /// Let one client have at most N subscriptions: filters of its stream of events; rooms, places and cameras over Socket.IO.
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub max_subscriptions: u32,

    /// Hold the limits for one address against this machine's own addresses too.
    #[arg(long)]
    pub limit_loopback: bool,

    /// Proxies that are believed.
    #[command(flatten)]
    pub proxies: Proxies,
}

/// What was refused, and what is open. Each is a number that only grows, but for `connections`.
#[derive(Debug, Default)]
pub struct Counts {
    /// Connections open now.
    pub connections: AtomicU64,
    /// Connections accepted.
    pub accepted: AtomicU64,
    /// Connections refused because there were too many in all.
    pub full: AtomicU64,
    /// Connections refused because there were too many from their address.
    pub address_full: AtomicU64,
    /// Connections refused because too many came from their address within a minute.
    pub connected_too_often: AtomicU64,
    /// Requests refused because too many came from their address or of their account within a minute.
    pub asked_too_often: AtomicU64,
    /// Streams and sockets refused because their account had too many open.
    pub streams_full: AtomicU64,
    /// Requests without a token that counts.
    pub unauthenticated: AtomicU64,
    /// Requests from pages of other sites, or to another host's name.
    pub foreign: AtomicU64,
    /// Requests and handshakes that took too long.
    pub too_slow: AtomicU64,
    /// Connections that could not be accepted, or whose TLS handshake failed.
    pub failed: AtomicU64,
}

impl Counts {
    /// How many were refused, by reason.
    pub fn refused(&self) -> [(&'static str, u64); 9] {
        [
            ("full", &self.full),
            ("address_full", &self.address_full),
            ("connected_too_often", &self.connected_too_often),
            ("asked_too_often", &self.asked_too_often),
            ("streams_full", &self.streams_full),
            ("unauthenticated", &self.unauthenticated),
            ("foreign", &self.foreign),
            ("too_slow", &self.too_slow),
            ("failed", &self.failed),
        ]
        .map(|(name, count)| (name, count.load(Ordering::Relaxed)))
    }

    /// Every count with its name.
    pub fn all(&self) -> BTreeMap<&'static str, u64> {
        let open = [("connections", &self.connections), ("accepted", &self.accepted)];
        let open = open.map(|(name, count)| (name, count.load(Ordering::Relaxed)));
        open.into_iter().chain(self.refused()).collect()
    }
}

/// Counts one.
pub fn count(of: &AtomicU64) {
    of.fetch_add(1, Ordering::Relaxed);
}

/// The limits, and what counts against them now.
pub struct Limits {
    connects: Rate<IpAddr>,
    asked_by_address: Rate<IpAddr>,
    asked_by_account: Rate<String>,
    connected: Held<IpAddr>,
    streams: Held<String>,
    loopback: bool,
    /// Connections allowed in all.
    pub connections: usize,
    /// Subscriptions allowed to one client.
    pub subscriptions: usize,
    /// Whose word is taken for whom a request comes from.
    pub proxies: Proxies,
    /// What was refused, and what is open.
    pub counts: Counts,
}

/// Why a connection is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TooMany {
    /// Too many from its address are open.
    Open,
    /// Too many from its address came; one may come again after these seconds.
    Often(u64),
}

impl Limits {
    /// The limits that `args` set, where the process may open `descriptors`.
    pub fn new(args: &LimitArgs, descriptors: Option<u64>) -> Limits {
        let most = descriptors.map_or(usize::MAX, |all| usize::try_from(all * 4 / 5).unwrap_or(usize::MAX));
        Limits {
            connects: Rate::new(args.connects_per_minute),
            asked_by_address: Rate::new(args.requests_per_minute),
            asked_by_account: Rate::new(args.requests_per_minute),
            connected: Held::new(args.max_per_address),
            streams: Held::new(args.streams_per_account),
            loopback: args.limit_loopback,
            connections: (args.max_connections as usize).min(most.saturating_sub(OWN)).max(1),
            subscriptions: args.max_subscriptions as usize,
            proxies: args.proxies.clone(),
            counts: Counts::default(),
        }
    }

    /// A place for a connection from `address`, as long as it is held.
    pub fn connect(&self, address: IpAddr) -> Result<Option<Place<IpAddr>>, TooMany> {
        let Some(network) = self.network(address) else { return Ok(None) };
        if let Err(seconds) = self.connects.check(&network) {
            count(&self.counts.connected_too_often);
            return Err(TooMany::Often(seconds));
        }
        match self.connected.take(&network) {
            Some(place) => Ok(Some(place)),
            None => {
                count(&self.counts.address_full);
                Err(TooMany::Open)
            }
        }
    }

    /// Whether `address` may send one more request; if not, after how many seconds.
    pub fn ask_from(&self, address: IpAddr) -> Result<(), u64> {
        let Some(network) = self.network(address) else { return Ok(()) };
        self.asked_by_address.check(&network).inspect_err(|_| count(&self.counts.asked_too_often))
    }

    /// Whether `person` may send one more request; if not, after how many seconds. Who has no account of their own is
    /// not limited.
    pub fn ask_by(&self, person: &Person) -> Result<(), u64> {
        if person.expires.is_none() {
            return Ok(());
        }
        self.asked_by_account.check(&person.name).inspect_err(|_| count(&self.counts.asked_too_often))
    }

    /// A place for a stream or socket of `person`, as long as it is held; nothing if they have too many.
    pub fn stream(&self, person: &Person) -> Option<Place<String>> {
        let place = self.streams.take(&person.name);
        if place.is_none() {
            count(&self.counts.streams_full);
        }
        place
    }

    /// Forgets those who have been quiet for long.
    pub fn sweep(&self) {
        self.connects.sweep();
        self.asked_by_address.sweep();
        self.asked_by_account.sweep();
    }

    /// What is counted together; nothing if it is not counted at all.
    fn network(&self, address: IpAddr) -> Option<IpAddr> {
        let address = address.to_canonical();
        // A proxy stands there for many: what counts is whom it speaks for.
        if address.is_loopback() && !self.loopback || self.proxies.trusts(address) {
            return None;
        }
        Some(match address {
            IpAddr::V6(address) if !address.is_loopback() => {
                IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)))
            }
            other => other,
        })
    }
}

/// Descriptors that the database, the inputs and those who are turned away need.
const OWN: usize = 64;

/// So many a minute for each key, at once or spread.
struct Rate<K: Hash + Eq + Clone> {
    limiter: Option<DefaultKeyedRateLimiter<K>>,
    clock: DefaultClock,
}

impl<K: Hash + Eq + Clone> Rate<K> {
    fn new(a_minute: u32) -> Rate<K> {
        let limiter = NonZeroU32::new(a_minute).map(|most| RateLimiter::keyed(Quota::per_minute(most)));
        Rate { limiter, clock: DefaultClock::default() }
    }

    fn check(&self, key: &K) -> Result<(), u64> {
        let Some(limiter) = &self.limiter else { return Ok(()) };
        limiter.check_key(key).map(drop).map_err(|until| {
            let wait = until.wait_time_from(self.clock.now()) + Duration::from_millis(999);
            wait.as_secs().max(1)
        })
    }

    fn sweep(&self) {
        if let Some(limiter) = &self.limiter {
            limiter.retain_recent();
        }
    }
}

/// How many of something each key holds.
struct Held<K> {
    most: u32,
    places: Arc<Mutex<HashMap<K, u32>>>,
}

impl<K: Hash + Eq + Clone> Held<K> {
    fn new(most: u32) -> Held<K> {
        Held { most: if most == 0 { u32::MAX } else { most }, places: Arc::default() }
    }

    fn take(&self, key: &K) -> Option<Place<K>> {
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        let held = places.entry(key.clone()).or_default();
        if *held >= self.most {
            return None;
        }
        *held += 1;
        Some(Place { key: key.clone(), places: Arc::clone(&self.places) })
    }
}

/// One of the places that a key holds; given back when dropped.
pub struct Place<K: Hash + Eq> {
    key: K,
    places: Arc<Mutex<HashMap<K, u32>>>,
}

impl<K: Hash + Eq> Drop for Place<K> {
    fn drop(&mut self) {
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(held) = places.get_mut(&self.key) {
            *held -= 1;
            if *held == 0 {
                places.remove(&self.key);
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn limits(limit_loopback: bool) -> Limits {
        let args = LimitArgs {
            max_connections: 1000,
            max_per_address: 2,
            connects_per_minute: 5,
            requests_per_minute: 3,
            streams_per_account: 1,
            max_subscriptions: 1,
            limit_loopback,
            proxies: Proxies::default(),
        };
        Limits::new(&args, Some(256))
    }

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn an_address_has_so_many_places_and_gets_them_back() {
        let limits = limits(false);
        let held: Vec<_> = (0..2).map(|_| limits.connect(address("10.0.0.7")).unwrap()).collect();
        assert_eq!(limits.connect(address("::ffff:10.0.0.7")).err(), Some(TooMany::Open));
        assert!(limits.connect(address("10.0.0.8")).is_ok());
        drop(held);
        assert!(limits.connect(address("10.0.0.7")).is_ok());
        assert!(limits.connected.places.lock().unwrap().is_empty());
        assert!(limits.connect(address("10.0.0.7")).is_ok());
        // Three that were let in, one that was not, one more: the minute's five are used up.
        let often = limits.connect(address("10.0.0.7")).err();
        assert!(matches!(often, Some(TooMany::Often(1..=13))), "{often:?}");
        assert_eq!(limits.counts.refused()[1..3], [("address_full", 1), ("connected_too_often", 1)]);
    }

    #[test]
    fn an_ipv6_network_is_one_address_and_this_machine_is_none() {
        let limits = limits(false);
        let _held: Vec<_> =
            ["2001:db8::1", "2001:db8::2:3"].map(|text| limits.connect(address(text)).unwrap()).into();
        assert_eq!(limits.connect(address("2001:db8::4")).err(), Some(TooMany::Open));
        assert!(limits.connect(address("2001:db8:0:1::1")).is_ok());
        for _ in 0..20 {
            assert!(limits.connect(address("127.0.0.1")).unwrap().is_none());
            assert!(limits.connect(address("::1")).unwrap().is_none());
        }
        assert!(super::tests::limits(true).connect(address("::1")).unwrap().is_some());
    }

    #[test]
    fn requests_are_counted_by_address_and_by_account() {
        let limits = limits(true);
        for _ in 0..3 {
            assert_eq!(limits.ask_from(address("127.0.0.1")), Ok(()));
        }
        assert!((1..=20).contains(&limits.ask_from(address("127.0.0.1")).unwrap_err()));
        let ann = Person { name: "ann".into(), expires: Some(1), ..Person::anyone() };
        assert_eq!((0..9).filter(|_| limits.ask_by(&ann).is_ok()).count(), 3);
        assert!((0..9).all(|_| limits.ask_by(&Person::anyone()).is_ok()));
        let first = limits.stream(&ann);
        assert!(first.is_some() && limits.stream(&ann).is_none());
        drop(first);
        assert!(limits.stream(&ann).is_some());
    }

    #[test]
    fn descriptors_bound_the_connections() {
        assert_eq!(limits(false).connections, 256 * 4 / 5 - OWN);
    }
}
