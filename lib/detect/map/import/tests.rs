//! Small files of each format, and what is wrong with others.

#![allow(clippy::unwrap_used)]

use proptest::prelude::*;

use super::*;

const PKLOT: &str = r#"<?xml version="1.0" encoding="utf-8"?>
<parking id="yard">
  <space id="1" occupied="0">
    <rotatedRect><center x="40" y="30"/><size w="40" h="20"/><angle d="0"/></rotatedRect>
    <contour><point x="20" y="20"/><point x="60" y="22"/><point x="61" y="40"/><point x="19" y="41"/></contour>
  </space>
  <space id="2"><contour><Point x="70" y="20"/><Point x="99" y="22"/><Point x="90.5" y="40"/></contour></space>
  <space id="3"><rotatedRect><center x="40" y="70"/><size w="40" h="20"/><angle d="-90"/></rotatedRect></space>
</parking>"#;

const COCO: &str = r#"{"info": {}, "categories": [{"id": 1, "name": "slot"}],
  "images": [{"id": 7, "file_name": "day/a.jpg", "width": 200, "height": 100}, {"id": 8, "file_name": "b.jpg", "width": 100, "height": 50},
             {"id": 9, "file_name": "empty.jpg", "width": 100, "height": 50}],
  "annotations": [
    {"id": 1, "image_id": 7, "category_id": 1, "segmentation": [[1, 1, 3, 1, 3, 3], [10, 10, 50, 10, 50, 40, 10, 40]], "bbox": [1, 1, 49, 39]},
    {"id": "A2", "image_id": 7, "category_id": 1, "segmentation": [], "bbox": [60, 10, 30, 20]},
    {"id": 3, "image_id": 8, "category_id": 1, "bbox": [5, 5, 20, 20], "iscrowd": 0}]}"#;

const TABLE: &str = "file,slot_id,polygon,occupied\na.jpg,1,\"1,2 30,2 30,40\",1\na.jpg,2,\"50,2 80,2.5 80,40 50,40\",\nb/b.jpg,1,\"2,2 31,2 31,40\",0\n";

const CNRPARK: &str = "SlotId,X,Y,W,H\n603,1034,1640,240,240\n604,1300,1640,240,240\n";

fn ids(imported: &Imported) -> Vec<&str> {
    imported.slots.iter().map(|slot| slot.slot_id.as_str()).collect()
}

#[test]
fn each_format_is_told_by_its_content() {
    let pklot = import(PKLOT, None).unwrap();
    assert_eq!(ids(&pklot), ["1", "2", "3"]);
    assert_eq!(pklot.slots[1].polygon, [[70.0, 20.0], [99.0, 22.0], [90.5, 40.0]]);
    // A quarter turn to the left brings the upper left corner to the lower left.
    let turned = &pklot.slots[2].polygon;
    assert!(turned[0][0] - 30.0 < 1e-9 && (turned[0][1] - 90.0).abs() < 1e-9, "{turned:?}");
    assert_eq!((pklot.size, pklot.pictures), (None, 0));

    let coco = import(COCO, None).unwrap();
    assert_eq!((ids(&coco), coco.size, coco.pictures), (vec!["1", "A2"], Some([200, 100]), 2));
    assert_eq!(coco.slots[0].polygon, [[10.0, 10.0], [50.0, 10.0], [50.0, 40.0], [10.0, 40.0]]);
    assert_eq!(coco.slots[1].polygon[2], [90.0, 30.0]);
    assert_eq!(ids(&import(COCO, Some("b.jpg")).unwrap()), ["3"]);
    assert_eq!(ids(&import(COCO, Some("a.jpg")).unwrap()), ["1", "A2"]);

    let table = import(TABLE, None).unwrap();
    assert_eq!((ids(&table), table.pictures, table.picture.as_deref()), (vec!["1", "2"], 2, Some("a.jpg")));
    assert_eq!(import(TABLE, Some("b.jpg")).unwrap().slots[0].polygon[0], [2.0, 2.0]);

    let cnrpark = import(CNRPARK, None).unwrap();
    assert_eq!((ids(&cnrpark), cnrpark.size), (vec!["603", "604"], Some([2592, 1944])));
    assert_eq!(cnrpark.slots[0].polygon[2], [1274.0, 1880.0]);

    let own = r#"{"lot_id":"l","image_size":[10,9],"slots":[{"slot_id":"x","level_id":"L","polygon":[[0,0],[9,0],[9,9],[0,0]]}]}"#;
    let own = import(own, None).unwrap();
    assert_eq!((own.lot_id.as_deref(), own.size, own.slots[0].polygon.len()), (Some("l"), Some([10, 9]), 3));
}

#[test]
fn polygons_are_scaled_to_a_picture_of_the_same_shape_only() {
    let mut cnrpark = import(CNRPARK, None).unwrap();
    cnrpark.scale([2592, 1944], [1000, 750]).unwrap();
    assert_eq!(cnrpark.slots[0].polygon[0], [398.9, 632.7]);
    let fault = cnrpark.scale([1000, 750], [1280, 720]).unwrap_err();
    assert!(fault.contains("drawn on 1000 x 750, which has another shape than 1280 x 720"), "{fault}");
}

#[test]
fn what_is_wrong_is_named() {
    for (text, words) in [
        ("", "empty"),
        ("<parking>", "never closed"),
        ("<!DOCTYPE x [<!ENTITY a 'b'>]><parking/>", "DTD"),
        ("<parking/>", "no space"),
        ("<p><space/></p>", "no id"),
        ("<p><space id='4'/></p>", "space \"4\": it has neither"),
        ("<p><space id='4'><contour><point x='1'/></contour></space></p>", "space \"4\": a point has no y"),
        ("<p><space id='4'><contour><point x='1' y='inf'/></contour></space></p>", "y is a number"),
        ("{\"lot_id\": 3}", "neither COCO"),
        ("{", "EOF"),
        ("{\"annotations\": []}", "missing field `images`"),
        ("{\"annotations\": [], \"images\": []}", "no slots"),
        ("slot_id\n1\n", "neither a column polygon"),
        ("id,polygon\n1,\n", "no column slot_id"),
        ("slot_id,polygon\n1,\"1,2 3\"\n", "line 2: \"3\" is not a corner"),
        ("slot_id,polygon\n1,\"1,2\"\n2,\"1,NaN\"\n", "line 3: \"NaN\" is not a number"),
        ("slot_id,polygon\n", "no slots"),
    ] {
        let fault = import(text, None).unwrap_err();
        assert!(fault.contains(words), "{text}: {fault}");
    }
    let annotation = |rest: &str| {
        format!(
            "{{\"images\":[{{\"id\":1,\"file_name\":\"a\",\"width\":9,\"height\":9}}],\"annotations\":[{{\"id\":5,\"image_id\":1{rest}}}]}}"
        )
    };
    for (rest, words) in [
        ("", "annotation 5 has neither"),
        (",\"segmentation\":{\"counts\":[1],\"size\":[9,9]}", "annotation 5 is a bitmap"),
        (",\"segmentation\":[[1,2,3]]", "annotation 5: a segmentation is"),
        (",\"segmentation\":[1,2]", "annotation 5: a segmentation is"),
    ] {
        let fault = import(&annotation(rest), None).unwrap_err();
        assert!(fault.contains(words), "{rest}: {fault}");
    }
    for text in [COCO, TABLE] {
        assert!(import(text, Some("c.jpg")).unwrap_err().contains("no slots of a picture \"c.jpg\""));
    }
}

proptest! {
    #[test]
    fn no_torn_file_makes_it_panic(which in 0..4_usize, from in 0.0..1.0_f64, to in 0.0..1.0_f64, other in "[<>{}\\[\\]\",0-9e.-]{0,4}") {
        let text = [PKLOT, COCO, TABLE, CNRPARK][which];
        let [from, to] = [from, to].map(|share| (share * text.len() as f64) as usize);
        let torn = format!("{}{other}{}", &text[..from.min(to)], &text[from.max(to)..]);
        if let Ok(imported) = import(&torn, None) {
            let map = SlotMap { lot_id: "lot".into(), image_size: [100, 100], slots: imported.slots };
            let _ = (map.check(), map.warnings());
        }
    }
}
