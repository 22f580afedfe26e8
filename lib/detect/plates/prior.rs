//! What plates may say, weighed with what was seen (Bayes' rule).

use std::collections::BTreeMap;

use super::Region;
use super::decode::Candidate;
use super::regions::Syntax;

/// Where a region is told, a text that its plates may bear is so many times likelier than another that looks alike.
const FROM_REGION: f64 = 20.0;
/// Where none is told, a text that plates anywhere may bear is so many times likelier than another.
const FROM_ANYWHERE: f64 = 3.0;
/// Of texts that look the same, such a share is taken to follow no known syntax,
const OF_NO_SYNTAX: f64 = 0.05;
/// and such a share of what is seen stands whatever plates say.
const AS_SEEN: f64 = 0.15;
/// The letters I and O are so frequent among others, on the plates of many countries, for some leave them out.
const SELDOM: f64 = 0.5;

/// What is known of plates before one is seen.
#[derive(Debug)]
pub struct Prior {
    /// Of the regions told, or of all.
    syntax: Syntax,
    told: bool,
}

impl Prior {
    /// For plates of these regions, or of any if these are none.
    pub fn of(regions: &[Region]) -> Self {
        match regions {
            [] => Prior { syntax: Syntax::of(Region::all()), told: false },
            told => Prior { syntax: Syntax::of(told.iter().copied()), told: true },
        }
    }

    /// Gives the texts that may stand on a plate their likelihoods by what plates say too, and brings the likeliest to the front.
    pub fn weigh(&self, texts: &mut [Candidate]) {
        let sum = |texts: &[Candidate]| texts.iter().map(|text| text.likelihood).sum::<f64>();
        let unread = (1.0 - sum(texts)).max(0.0);
        let look = |text: &str| text.replace('O', "0").replace('I', "1");
        let mut alike: BTreeMap<String, Vec<&mut Candidate>> = BTreeMap::new();
        for text in &mut *texts {
            alike.entry(look(&text.text)).or_default().push(text);
        }
        alike.values_mut().for_each(|group| self.weigh_alike(group));
        let all = unread + sum(texts);
        texts.iter_mut().for_each(|text| text.likelihood /= all.max(f64::MIN_POSITIVE));
        texts.sort_by(|a, b| b.likelihood.total_cmp(&a.likelihood));
    }

    /// Weighs texts that look the same, for I is drawn like 1 on many plates and O like 0: together they are as likely as they were
    /// seen, times what it counts that plates may bear one of them, and each has the share that plates say it.
    fn weigh_alike(&self, group: &mut [&mut Candidate]) {
        let seen: f64 = group.iter().map(|text| text.likelihood).sum();
        let said: Vec<f64> = group.iter().map(|text| self.syntax.likelihood(&text.text)).collect();
        let weighted = group.iter().zip(&said).map(|(Candidate { text, likelihood, .. }, said)| {
            let of_no_syntax = OF_NO_SYNTAX * 36_f64.powi(-(text.len() as i32));
            let letters = text.bytes().filter(|c| b"IO".contains(c)).count();
            likelihood * SELDOM.powi(letters as i32) * (said + of_no_syntax)
        });
        let weighted: Vec<f64> = weighted.collect();
        let all = weighted.iter().sum::<f64>().max(f64::MIN_POSITIVE);
        let following = match said.iter().any(|said| *said > 0.0) {
            true if self.told => FROM_REGION,
            true => FROM_ANYWHERE,
            false => 1.0,
        };
        for (text, weight) in group.iter_mut().zip(weighted) {
            let settled = AS_SEEN * text.likelihood + (1.0 - AS_SEEN) * seen * weight / all;
            text.likelihood = following * settled;
        }
    }

    /// The first of the regions told whose plates may bear `text`.
    pub fn region(&self, text: &str) -> Option<Region> {
        self.syntax.region(text).filter(|_| self.told)
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
mod tests {
    use super::*;

    /// The texts with their likelihoods, as weighed by a reader that was told this region, or none.
    fn weighed(region: &str, read: &[(&str, f64)]) -> Vec<(String, f64)> {
        let regions: Vec<Region> = region.parse().into_iter().collect();
        let of = |&(text, likelihood): &(&str, f64)| Candidate {
            text: text.to_owned(),
            likelihood,
            alone: vec![1.0; text.len()],
        };
        let mut texts: Vec<_> = read.iter().map(of).collect();
        Prior::of(&regions).weigh(&mut texts);
        texts.into_iter().map(|text| (text.text, text.likelihood)).collect()
    }

    #[test]
    fn a_region_decides_between_texts_that_look_alike() {
        let told = weighed("id", &[("8123XYZ", 0.5), ("B123XYZ", 0.3)]);
        assert_eq!(told[0].0, "B123XYZ");
        assert!((told[0].1 - 6.0 / 6.7).abs() < 1e-9 && (told[1].1 - 0.5 / 6.7).abs() < 1e-9);
        let indonesia: Region = "id".parse().unwrap();
        assert_eq!(Prior::of(&[indonesia]).region(&told[0].0), Some(indonesia));
        assert_eq!(Prior::of(&[indonesia]).region(&told[1].0), None);
    }

    #[test]
    fn a_region_tells_letters_from_figures_that_are_drawn_alike() {
        assert_eq!(weighed("br", &[("YJ15M56", 0.95), ("YJI5M56", 0.02)])[0].0, "YJI5M56");
        assert_eq!(weighed("br", &[("8I2", 0.95), ("812", 0.02)])[0].0, "8I2", "no plate of that country");
    }

    #[test]
    fn letters_and_figures_drawn_alike_are_told_apart_by_what_plates_say() {
        let told = weighed("", &[("ABI234", 0.45), ("AB1234", 0.35), ("8123XYZ", 0.15)]);
        assert_eq!(told[0].0, "AB1234");
        // Plates may bear one of each, so that all count three times beside the 0.05 of what was not read.
        let all = 0.05 + 3.0 * 0.95;
        assert!((told[0].1 + told[1].1 - 3.0 * 0.8 / all).abs() < 1e-9);
        assert_eq!(told[2].0, "8123XYZ");
        assert!((told[2].1 - 3.0 * 0.15 / all).abs() < 1e-9, "nothing looks like it");
        let drawn = [("CO7OVOX", 0.4), ("C07OVOX", 0.3), ("CO70VOX", 0.2), ("C070V0X", 0.1)];
        assert_eq!(weighed("", &drawn)[0].0, "CO70VOX");
        let sure = weighed("", &[("8I23XYZ", 0.99), ("8123XYZ", 0.001)]);
        assert_eq!(sure[0].0, "8I23XYZ", "what is seen plainly stands");
    }

    #[test]
    fn what_no_plate_anywhere_bears_is_a_little_less_likely() {
        let (read, close) = (("99999AAAA9", 0.5), ("9999AAAA9A", 0.3));
        assert!([read, close].iter().all(|(text, _)| Syntax::of(Region::all()).region(text).is_none()));
        assert_eq!(weighed("", &[read, ("AB12CDE", 0.3)])[0].0, "AB12CDE");
        assert_eq!(weighed("", &[read, ("AB12CDE", 0.1)])[0].0, "99999AAAA9");
        assert_eq!(weighed("", &[read, close])[0].0, "99999AAAA9");
    }

    #[test]
    fn a_region_does_not_make_a_text_of_nothing() {
        let told = weighed("id", &[("8123XYZ", 0.95), ("B123XYZ", 0.001)]);
        assert_eq!(told[0].0, "8123XYZ");
        assert_eq!(Prior::of(&["id".parse().unwrap()]).region(&told[0].0), None);
    }

    #[test]
    fn only_a_region_that_was_told_is_named() {
        let named =
            |regions: &[Region], text| Prior::of(regions).region(text).map(|region| region.to_string());
        assert_eq!(named(&["id".parse().unwrap()], "B1234XYZ").as_deref(), Some("id"));
        assert_eq!(named(&["id".parse().unwrap()], "1234"), None);
        assert_eq!(named(&[], "B1234XYZ"), None);
    }
}
