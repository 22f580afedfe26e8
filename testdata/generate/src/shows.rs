//! The programme: every gate recording, its guests and their times.

use crate::car::{HATCH, SEDAN, SUV, VAN};
use crate::deck::{A, B, Level};
use crate::gate::{Guest, Show};
use crate::lot::{self, Stay, Weather};
use crate::plate::Style;
use crate::yard::Sky;

fn guest(text: &str, style: Style, shape: crate::car::Shape, paint: u32, stop: f32) -> Guest {
    let gap = 4.45 + (text.len() % 3) as f32 * 0.12;
    Guest { text: text.to_owned(), style, shape, paint, stop, gap, dirt: 0.3, aside: 0.0 }
}

/// All gate recordings.
pub fn gate() -> Vec<Show> {
    use Style::{American, British, European, Indian, IndonesianBlack, IndonesianWhite, Mercosul};
    vec![
        Show {
            name: "gate-day".to_owned(),
            sky: Sky::Day,
            camera_id: "cam_in",
            region: None,
            start: "2026-01-20T10:00:00Z",
            seconds: 56.0,
            guests: vec![
                guest("AZJ 6991", European, SEDAN, 0x8A1C1C, 6.5),
                guest("B 1482 KXF", IndonesianBlack, HATCH, 0xC9CBCC, 14.0),
                guest("RKJ4F82", Mercosul, SUV, 0x24364F, 21.5),
                guest("KV21 ZDR", British, HATCH, 0x1F6B4A, 35.0),
                guest("MH12AB1234", Indian, SEDAN, 0xE6E6E2, 42.5),
                guest("D 7305 LMA", IndonesianWhite, VAN, 0xD8D8D4, 50.0),
            ],
            walker: Some(26.0),
            crf: 30,
        },
        Show {
            name: "gate-out".to_owned(),
            sky: Sky::Day,
            camera_id: "cam_out",
            region: None,
            start: "2026-01-20T10:47:30Z",
            seconds: 34.0,
            guests: vec![
                guest("B 1482 KXF", IndonesianBlack, HATCH, 0xC9CBCC, 6.0),
                guest("AZJ 6991", European, SEDAN, 0x8A1C1C, 13.5),
                guest("7KPL 382", American, SUV, 0x3A3B3D, 21.0),
                guest("KV21 ZDR", British, HATCH, 0x1F6B4A, 28.5),
            ],
            walker: None,
            crf: 30,
        },
        Show {
            name: "gate-dusk".to_owned(),
            sky: Sky::Dusk,
            camera_id: "cam_in",
            region: None,
            start: "2026-01-20T17:20:00Z",
            seconds: 33.5,
            guests: vec![
                guest("LK 4471 P", European, HATCH, 0x2458A0, 6.0),
                guest("KA05MN8204", Indian, SUV, 0x5A5E62, 13.5),
                guest("TQE7A31", Mercosul, SEDAN, 0x9A2A22, 21.0),
                guest("F 2290 TB", IndonesianBlack, VAN, 0xC4C6C4, 28.5),
            ],
            walker: None,
            crf: 31,
        },
        Show {
            name: "gate-night".to_owned(),
            sky: Sky::Night,
            camera_id: "cam_in",
            region: None,
            start: "2026-01-20T22:05:00Z",
            seconds: 33.5,
            guests: vec![
                guest("PX19 HGE", British, SEDAN, 0x303234, 6.0),
                guest("B 6618 ZUC", IndonesianWhite, SUV, 0x8F9396, 13.5),
                guest("4MTR 915", American, SEDAN, 0x16324F, 21.0),
                guest("WND 8025", European, HATCH, 0xB5B7B9, 28.5),
            ],
            walker: None,
            crf: 33,
        },
        Show {
            name: "gate-rain".to_owned(),
            sky: Sky::Rain,
            camera_id: "cam_in",
            region: None,
            start: "2026-01-21T07:40:00Z",
            seconds: 26.0,
            guests: vec![
                guest("CGR 3158", European, SUV, 0x274B3A, 6.0),
                guest("AB 5047 NY", IndonesianBlack, SEDAN, 0xA9ABAD, 13.5),
                guest("HVX2C64", Mercosul, HATCH, 0xB78A1E, 21.0),
            ],
            walker: None,
            crf: 32,
        },
    ]
}

/// The single pictures: scenes with the names of the pictures and their seconds.
pub fn stills() -> Vec<(Show, Vec<(&'static str, f32)>)> {
    use Style::{American, British, European, Indian, IndonesianWhite, Mercosul};
    let album = |sky, guests, walker| Show {
        name: "stills".to_owned(),
        sky,
        camera_id: "cam_in",
        region: None,
        start: "2026-01-20T09:00:00Z",
        seconds: 0.0,
        guests,
        walker,
        crf: 0,
    };
    let parked = Guest { aside: 4.0, gap: 9.0, ..guest("YD63 WTA", British, HATCH, 0x7A2230, 40.0) };
    vec![
        (
            album(
                Sky::Day,
                vec![
                    guest("FHN 2067", European, SEDAN, 0x2B4B6E, 6.0),
                    guest("L 8153 VR", IndonesianWhite, HATCH, 0x9C1F1F, 16.0),
                    guest("SPB5D07", Mercosul, SUV, 0xD0D0CC, 26.0),
                    parked,
                    guest("GJ01RK5526", Indian, VAN, 0x3C6E8F, 40.6),
                ],
                Some(49.0),
            ),
            vec![
                ("lane-01.jpg", 6.3),
                ("lane-02.jpg", 16.4),
                ("lane-03.jpg", 24.2),
                ("lane-04-two.jpg", 41.0),
                ("lane-05-empty.jpg", 33.0),
                ("lane-06-walker.jpg", 51.6),
            ],
        ),
        (
            album(Sky::Dusk, vec![guest("VN70 KRB", British, SUV, 0x55585B, 6.0)], None),
            vec![("dusk-01.jpg", 6.2)],
        ),
        (
            album(Sky::Night, vec![guest("TS09EP4418", Indian, HATCH, 0x222426, 6.0)], None),
            vec![("night-01.jpg", 6.2)],
        ),
        (
            album(Sky::Rain, vec![guest("6BDW 274", American, SEDAN, 0x6A1B1B, 6.0)], None),
            vec![("rain-01.jpg", 6.2)],
        ),
    ]
}

fn stay(level: Level, slot: usize, from: Option<f32>, to: Option<f32>) -> Stay {
    Stay { level, slot: slot - 1, from, to }
}

/// The lot with nothing going on in it, seen in other ways.
fn same(name: &'static str, exposure: f32, weather: Weather) -> lot::Show {
    lot::Show {
        name,
        start: "2026-01-21T08:00:00Z",
        seconds: 4.0,
        night: weather == Weather::Infrared,
        weather,
        exposure,
        shadow: None,
        stays: [(A, 1), (A, 3), (A, 6), (B, 2), (B, 3), (B, 5)].map(|(l, i)| stay(l, i, None, None)).to_vec(),
        walk: Vec::new(),
        lorry: None,
        cloud: None,
        gain: None,
        crf: 30,
    }
}

/// All recordings of the lot.
pub fn lot() -> Vec<lot::Show> {
    vec![
        lot::Show {
            name: "lot",
            start: "2026-01-20T08:00:00Z",
            seconds: 96.0,
            night: false,
            weather: Weather::Dry,
            exposure: 1.0,
            shadow: None,
            stays: vec![
                stay(A, 1, Some(10.0), Some(84.0)),
                stay(A, 2, None, Some(12.5)),
                stay(A, 4, Some(31.0), None),
                stay(A, 6, Some(48.0), None),
                stay(A, 5, None, Some(61.0)),
                stay(A, 3, Some(82.0), None),
                stay(B, 2, Some(9.0), Some(64.0)),
                stay(B, 3, None, Some(14.0)),
                stay(B, 4, Some(34.0), Some(85.0)),
                stay(B, 1, None, Some(37.0)),
                stay(B, 5, Some(53.0), None),
                stay(B, 3, Some(61.0), None),
                stay(B, 1, Some(83.0), None),
                stay(B, 6, None, None),
            ],
            walk: vec![
                (17.0, 9.8, 9.3),
                (25.0, -1.0, 9.5),
                (27.5, -1.3, 12.6),
                (30.5, -1.3, 12.6),
                (33.0, 0.2, 9.3),
                (40.0, 9.8, 9.2),
            ],
            lorry: Some(49.5),
            cloud: Some((64.0, 82.0)),
            gain: Some((42.0, 48.0)),
            crf: 29,
        },
        lot::Show {
            name: "lot-night",
            start: "2026-01-20T20:00:00Z",
            seconds: 15.0,
            night: true,
            weather: Weather::Dry,
            exposure: 1.0,
            shadow: None,
            stays: vec![
                stay(A, 1, None, None),
                stay(A, 3, None, None),
                stay(A, 5, Some(9.0), None),
                stay(B, 2, None, Some(3.0)),
                stay(B, 3, None, None),
                stay(B, 6, None, None),
            ],
            walk: Vec::new(),
            lorry: None,
            cloud: None,
            gain: None,
            crf: 28,
        },
        same("light-plain", 1.0, Weather::Dry),
        same("light-half", 0.5, Weather::Dry),
        same("light-double", 2.0, Weather::Dry),
        lot::Show { shadow: Some((0.0, 4.0)), ..same("light-shadow", 1.0, Weather::Dry) },
        same("light-rain", 0.9, Weather::Rain),
        same("light-infrared", 1.0, Weather::Infrared),
    ]
}
