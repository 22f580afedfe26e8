//! Labelled pictures.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

use opencv::core::{CV_8UC3, Mat, MatTrait, MatTraitConst, Rect, Scalar, Size};
use opencv::videoio::{CAP_ANY, VideoCapture, VideoCaptureTrait};
use opencv::{imgcodecs, imgproc};
use park_detect::slots::{Slot, SlotMap};
use serde_json::Value;

/// A picture, its slots, and which are occupied, where that is known.
pub struct Scene {
    pub name: String,
    pub picture: Mat,
    pub map: SlotMap,
    pub occupied: Vec<Option<bool>>,
}

pub fn load(folder: &str) -> Result<Vec<Scene>, Box<dyn Error>> {
    let folder = Path::new(folder);
    if folder.join("slots.csv").exists() {
        labelled(folder)
    } else if folder.is_file() {
        rendered(folder)
    } else {
        mosaics(folder)
    }
}

fn scene(name: &str, picture: Mat) -> Scene {
    let image_size = [picture.cols() as u32, picture.rows() as u32];
    let map = SlotMap { lot_id: "lot".into(), image_size, slots: Vec::new() };
    Scene { name: name.to_owned(), picture, map, occupied: Vec::new() }
}

fn labelled(folder: &Path) -> Result<Vec<Scene>, Box<dyn Error>> {
    let mut scenes: Vec<Scene> = Vec::new();
    for line in fs::read_to_string(folder.join("slots.csv"))?.lines().skip(1) {
        let fields: Vec<&str> = line.split('"').collect();
        let [head, polygon, occupied] = fields[..] else { return Err(format!("bad line: {line}").into()) };
        let (file, slot) = head.trim_end_matches(',').split_once(',').ok_or("bad line")?;
        if scenes.last().is_none_or(|last| last.name != file) {
            scenes.push(scene(file, imgcodecs::imread(folder.join(file), imgcodecs::IMREAD_COLOR)?));
        }
        let corner = |corner: &str| -> Result<[f64; 2], Box<dyn Error>> {
            let (x, y) = corner.split_once(',').ok_or("bad corner")?;
            Ok([x.parse()?, y.parse()?])
        };
        let polygon = polygon.split(' ').map(corner).collect::<Result<_, _>>()?;
        let scene = scenes.last_mut().ok_or("no picture")?;
        scene.map.slots.push(Slot { slot_id: slot.to_owned(), level_id: None, polygon });
        scene.occupied.push(match occupied.trim_start_matches(',') {
            "1" => Some(true),
            "0" => Some(false),
            _ => None,
        });
    }
    Ok(scenes)
}

/// Pictures of single slots, 60 at a time on one picture, half of them empty, so that there is a frame to compare with.
fn mosaics(folder: &Path) -> Result<Vec<Scene>, Box<dyn Error>> {
    const TILE: (i32, i32) = (69, 28);
    const COLUMNS: i32 = 6;
    let [empty, full] = ["empty", "not_empty"].map(|name| -> Result<Vec<PathBuf>, std::io::Error> {
        let mut files: Vec<PathBuf> = fs::read_dir(folder.join(name))?
            .map(|entry| Ok(entry?.path()))
            .collect::<Result<_, std::io::Error>>()?;
        files.sort();
        Ok(files)
    });
    let mut scenes = Vec::new();
    for (empty, full) in empty?.chunks(30).zip(full?.chunks(30)) {
        let picture =
            Mat::new_rows_cols_with_default(10 * TILE.1, COLUMNS * TILE.0, CV_8UC3, Scalar::default())?;
        let mut scene = scene("mosaic", picture);
        let labelled = empty.iter().map(|file| (file, false)).chain(full.iter().map(|file| (file, true)));
        for (at, (file, occupied)) in labelled.enumerate() {
            let (x, y) = (at as i32 % COLUMNS * TILE.0, at as i32 / COLUMNS * TILE.1);
            let tile = imgcodecs::imread(file, imgcodecs::IMREAD_COLOR)?;
            let mut place = scene.picture.roi_mut(Rect::new(x, y, TILE.0, TILE.1))?;
            let size = Size::new(TILE.0, TILE.1);
            imgproc::resize(&tile, &mut place, size, 0.0, 0.0, imgproc::INTER_LINEAR)?;
            let (x, y) = (f64::from(x), f64::from(y));
            let (right, bottom) = (x + f64::from(TILE.0), y + f64::from(TILE.1));
            let polygon = vec![[x, y], [right, y], [right, bottom], [x, bottom]];
            scene.map.slots.push(Slot { slot_id: file.display().to_string(), level_id: None, polygon });
            scene.occupied.push(Some(occupied));
        }
        scenes.push(scene);
    }
    Ok(scenes)
}

/// Every tenth frame of a rendered lot in which no vehicle moves and nothing stands before the slots.
fn rendered(video: &Path) -> Result<Vec<Scene>, Box<dyn Error>> {
    let truth: Value = serde_json::from_slice(&fs::read(video.with_extension("truth.json"))?)?;
    let map: SlotMap = serde_json::from_slice(&fs::read(video.with_file_name("lot.json"))?)?;
    let number = |value: &Value| value.as_i64().unwrap_or(0);
    let list = |name: &str| truth[name].as_array().into_iter().flatten();
    let moving = list("transitions").map(|t| number(&t["frame"]) - 12..=number(&t["settled"]) + 12);
    let hiding = list("disturbances").filter(|d| d["kind"] == "person" || d["kind"] == "lorry");
    let hiding = hiding.map(|d| number(&d["first_frame"])..=number(&d["last_frame"]));
    let unclear: Vec<_> = moving.chain(hiding).collect();
    let mut frames = VideoCapture::from_file(video, CAP_ANY)?;
    let mut scenes = Vec::new();
    let mut picture = Mat::default();
    for frame in 0.. {
        if !frames.read(&mut picture)? {
            break;
        }
        if frame % 10 == 0 && !unclear.iter().any(|span| span.contains(&frame)) {
            let occupied = &truth["occupied"][(frame / number(&truth["fps"])) as usize];
            let held =
                |slot: &Slot| occupied.as_array().is_some_and(|ids| ids.iter().any(|id| *id == slot.slot_id));
            scenes.push(Scene {
                name: format!("frame {frame}"),
                picture: picture.try_clone()?,
                occupied: map.slots.iter().map(|slot| Some(held(slot))).collect(),
                map: map.clone(),
            });
        }
    }
    Ok(scenes)
}
