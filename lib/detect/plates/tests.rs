//! The plate reader on pictures drawn here.

#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use opencv::core::{self, Mat, MatTraitConst, Point, Point2f, Rect, Scalar, Size};
use opencv::imgproc;

use super::{Networks, Options, PlateRead, PlateReader};
use crate::engine::Runtime;
use crate::error::Kind;

const PLATE: Rect = Rect { x: 200, y: 150, width: 240, height: 60 };

/// A street-grey frame with one plate at `PLATE`, its text `ink` on `ground`.
fn frame(text: &str, ink: f64, ground: f64) -> Mat {
    let mut frame = Mat::new_rows_cols_with_default(360, 640, core::CV_8UC3, Scalar::all(90.0)).unwrap();
    imgproc::rectangle(&mut frame, PLATE, Scalar::all(ground), imgproc::FILLED, imgproc::LINE_8, 0).unwrap();
    let face = imgproc::FONT_HERSHEY_DUPLEX;
    let mut below = 0;
    let size = imgproc::get_text_size(text, face, 1.5, 3, &mut below).unwrap();
    let at = Point::new(PLATE.x + (PLATE.width - size.width) / 2, PLATE.y + (PLATE.height + size.height) / 2);
    imgproc::put_text(&mut frame, text, at, face, 1.5, Scalar::all(ink), 3, imgproc::LINE_AA, false).unwrap();
    let mut soft = Mat::default();
    imgproc::gaussian_blur(&frame, &mut soft, Size::new(3, 3), 0.0, 0.0, core::BORDER_DEFAULT).unwrap();
    soft
}

fn opencv() -> Runtime {
    Runtime::opencv(1).unwrap()
}

fn reader(options: Options) -> PlateReader {
    PlateReader::new(options, &Networks::default(), &opencv()).unwrap()
}

fn read(frame: &Mat, options: Options) -> Vec<PlateRead> {
    reader(options).read(frame).unwrap()
}

/// The only plate of a frame that was not rejected.
fn only(frame: &Mat) -> PlateRead {
    let mut plates = read(frame, Options::default());
    plates.retain(|plate| plate.rejected.is_none());
    assert_eq!(plates.len(), 1, "{plates:?}");
    plates.remove(0)
}

#[test]
fn a_dark_text_on_light_ground_is_read() {
    let plate = only(&frame("KLA4527", 20.0, 235.0));
    assert_eq!(plate.text, "KLA4527");
    assert_eq!(plate.characters.iter().map(|c| c.0).collect::<String>(), plate.text);
    assert_eq!(plate.candidates[0].0, plate.text);
    assert!((0.7..=1.0).contains(&plate.confidence));
}

#[test]
fn a_light_text_on_dark_ground_is_read() {
    assert_eq!(only(&frame("BXM9463", 235.0, 15.0)).text, "BXM9463");
}

#[test]
fn a_picture_that_was_cut_to_a_plate_is_read_as_one() {
    let plate = only(&frame("KLA4527", 20.0, 235.0).roi(PLATE).unwrap().try_clone().unwrap());
    assert_eq!(plate.text, "KLA4527");
    assert!((plate.corners[1][0] - plate.corners[0][0]) > 0.8 * f64::from(PLATE.width), "{plate:?}");
}

#[test]
fn corners_run_clockwise_from_the_top_left_and_cover_the_plate() {
    let [top_left, top_right, bottom_right, bottom_left] = only(&frame("KLA4527", 20.0, 235.0)).corners;
    assert!(top_left[0] < top_right[0] && bottom_left[0] < bottom_right[0]);
    assert!(top_left[1] < bottom_left[1] && top_right[1] < bottom_right[1]);
    let overlap = |a: (f64, f64), b: (f64, f64)| (a.1.min(b.1) - a.0.max(b.0)).max(0.0);
    let (x, y) = ((top_left[0], top_right[0]), (top_left[1], bottom_left[1]));
    let (px, py) = (f64::from(PLATE.x), f64::from(PLATE.y));
    let (pw, ph) = (f64::from(PLATE.width), f64::from(PLATE.height));
    let shared = overlap(x, (px, px + pw)) * overlap(y, (py, py + ph));
    let union = (x.1 - x.0) * (y.1 - y.0) + pw * ph - shared;
    assert!(shared / union >= 0.5, "{x:?} {y:?}");
}

#[test]
fn a_tilted_plate_is_read_and_its_corners_tilt_with_it() {
    let flat = frame("KLA4527", 20.0, 235.0);
    let turn = imgproc::get_rotation_matrix_2d(Point2f::new(320.0, 180.0), -12.0, 1.0).unwrap();
    let mut tilted = Mat::default();
    let (size, border) = (Size::new(640, 360), core::BORDER_REPLICATE);
    imgproc::warp_affine(&flat, &mut tilted, &turn, size, imgproc::INTER_LINEAR, border, Scalar::default())
        .unwrap();
    let plate = only(&tilted);
    assert_eq!(plate.text, "KLA4527");
    let [a, b, ..] = plate.corners;
    let tilt = (b[1] - a[1]).atan2(b[0] - a[0]).to_degrees();
    assert!((tilt - 12.0).abs() < 3.0, "{tilt}");
}

#[test]
fn only_the_region_of_interest_is_read() {
    let frame = frame("KLA4527", 20.0, 235.0);
    let area = |x: f64| Some(vec![[x, 100.0], [x + 300.0, 100.0], [x + 300.0, 260.0], [x, 260.0]]);
    let on = Options { region_of_interest: area(170.0), ..Options::default() };
    let off = Options { region_of_interest: area(400.0), ..Options::default() };
    assert_eq!(read(&frame, on).len(), 1);
    assert!(read(&frame, off).is_empty());
}

#[test]
fn an_empty_scene_has_no_plates() {
    let flat = Mat::new_rows_cols_with_default(360, 640, core::CV_8UC3, Scalar::all(90.0)).unwrap();
    assert!(read(&flat, Options::default()).is_empty());
}

#[test]
fn grey_frames_are_read_and_tiny_ones_hold_nothing() {
    let mut grey = Mat::default();
    imgproc::cvt_color_def(&frame("KLA4527", 20.0, 235.0), &mut grey, imgproc::COLOR_BGR2GRAY).unwrap();
    assert_eq!(only(&grey).text, "KLA4527");
    for (rows, columns) in [(1, 1), (1, 4000), (4000, 1), (3, 17)] {
        let tiny = Mat::new_rows_cols_with_default(rows, columns, core::CV_8UC3, Scalar::all(9.0)).unwrap();
        assert!(read(&tiny, Options::default()).is_empty());
    }
}

#[test]
fn frames_that_cannot_be_read_are_errors_of_the_picture() {
    let mut reader = reader(Options::default());
    let float = Mat::new_rows_cols_with_default(90, 160, core::CV_32FC3, Scalar::all(0.5)).unwrap();
    let pair = Mat::new_rows_cols_with_default(90, 160, core::CV_8UC2, Scalar::all(9.0)).unwrap();
    for frame in [Mat::default(), float, pair] {
        assert_eq!(reader.read(&frame).unwrap_err().kind(), Kind::Image);
    }
}

#[test]
fn a_network_of_other_shapes_is_refused_by_name() {
    let file = |name: &str| Some([env!("CARGO_MANIFEST_DIR"), "../../models", name].iter().collect());
    let detector = || file("plate-detector.onnx");
    let reading = || file("plate-reader.onnx");
    let swapped = Networks { detector: reading(), reader: None };
    let (not_read, absent) = (
        Networks { detector: None, reader: detector() },
        Networks { detector: None, reader: file("none.onnx") },
    );
    for (networks, name) in
        [(swapped, "plate-reader.onnx"), (not_read, "plate-detector.onnx"), (absent, "none.onnx")]
    {
        let error = PlateReader::new(Options::default(), &networks, &opencv()).err().unwrap();
        assert_eq!(error.kind(), Kind::Model);
        assert!(error.to_string().contains(name), "{error}");
    }
    let same = Networks { detector: detector(), reader: reading() };
    assert!(PlateReader::new(Options::default(), &same, &opencv()).is_ok());
}
