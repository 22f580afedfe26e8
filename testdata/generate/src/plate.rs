//! Number plates of our own invention in the usual looks of the world, in their holders.

use crate::math::{V3, fbm, grey, mix};
use crate::paint::{Canvas, Letters, Line, Texture, srgb, weather};

/// The look of a plate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Black on white, blue band at the left.
    European,
    /// White on black, expiry below.
    IndonesianBlack,
    /// Black on white, expiry below.
    IndonesianWhite,
    /// Black on yellow.
    British,
    /// Black on white, blue band on top.
    Mercosul,
    /// Black on white, small mark at the left.
    Indian,
    /// Blue on a pale ramp, short and high.
    American,
}

impl Style {
    /// The name used in truth files.
    pub fn name(self) -> &'static str {
        match self {
            Style::European => "european",
            Style::IndonesianBlack => "indonesian_black",
            Style::IndonesianWhite => "indonesian_white",
            Style::British => "british",
            Style::Mercosul => "mercosul",
            Style::Indian => "indian",
            Style::American => "american",
        }
    }

    /// Width and height in millimetres.
    pub fn size(self) -> (f32, f32) {
        match self {
            Style::European | Style::British => (520.0, 111.0),
            Style::IndonesianBlack | Style::IndonesianWhite => (430.0, 135.0),
            Style::Mercosul => (400.0, 130.0),
            Style::Indian => (500.0, 120.0),
            Style::American => (305.0, 152.0),
        }
    }

    /// Height of the main characters in millimetres.
    pub fn cap(self) -> f32 {
        match self {
            Style::British => 79.0,
            Style::European | Style::American => 75.0,
            Style::IndonesianBlack | Style::IndonesianWhite | Style::Indian => 72.0,
            Style::Mercosul => 66.0,
        }
    }
}

/// A plate in its holder, ready to be screwed on.
pub struct Plate {
    /// Text as painted, with its spaces.
    pub text: String,
    /// Look.
    pub style: Style,
    /// Size of the holder in metres.
    pub holder: (f32, f32),
    /// The plate's rectangle within the holder, metres from its upper left corner: left, top, width, height.
    pub inner: [f32; 4],
    /// The whole holder's picture.
    pub texture: Texture,
}

impl Plate {
    /// The text as a reader should give it: capitals and digits only.
    pub fn reading(&self) -> String {
        self.text.chars().filter(char::is_ascii_alphanumeric).collect()
    }
}

const PER_MM: f32 = 2.0;
const RIM: f32 = 9.0;
const FOOT: f32 = 26.0;

/// Paints a plate and its holder with a dealer's name on it; `dirt` (0 to 1) says how long it has been on the road.
pub fn paint(font: &Letters, text: &str, style: Style, dealer: &str, dirt: f32) -> Plate {
    let (w, h) = style.size();
    let mut plate = match style {
        Style::European => european(font, text, style),
        Style::British => plain(font, text, style, srgb(0xF2C200)),
        Style::IndonesianBlack => indonesian(font, text, style, srgb(0xE9E9E4), srgb(0x121212)),
        Style::IndonesianWhite => indonesian(font, text, style, srgb(0x141414), srgb(0xE8E8E4)),
        Style::Mercosul => mercosul(font, text, style),
        Style::Indian => indian(font, text, style),
        Style::American => american(font, text, style),
    };
    for x in [0.18 * w, 0.82 * w] {
        let y = if style == Style::American { 10.0 } else { h - 9.0 };
        plate.disc(srgb(0x6A6A68), (x, y), 4.0);
        plate.disc(srgb(0xB8B8B4), (x - 0.8, y - 0.8), 2.4);
    }
    let seed = text.bytes().map(f32::from).sum::<f32>();
    plate.each(|x, y, c| {
        let grime = fbm(x / 38.0 + seed, y / 26.0, 4) * smudge(y / h);
        weather(c, y / h).mix(srgb(0x6B5B47), (grime * dirt * 0.7).clamp(0.0, 0.5))
    });
    let mut holder = Canvas::new(w + 2.0 * RIM, h + RIM + FOOT, PER_MM, srgb(0x141415));
    holder.put(&plate, (RIM, RIM));
    let line = Line {
        at: (w / 2.0 + RIM, h + RIM + FOOT * 0.52),
        cap: 13.0,
        squeeze: 0.95,
        gap: 1.0,
        ink: srgb(0xB9BCC0),
    };
    holder.text(font, dealer, &line);
    Plate {
        text: text.to_owned(),
        style,
        holder: ((w + 2.0 * RIM) / 1000.0, (h + RIM + FOOT) / 1000.0),
        inner: [RIM / 1000.0, RIM / 1000.0, w / 1000.0, h / 1000.0],
        texture: holder.texture(),
    }
}

fn smudge(down: f32) -> f32 {
    mix(0.5, 1.2, down)
}

/// Letters the main line so that it fills its room without becoming wider than the font allows.
fn main_line(
    c: &mut Canvas,
    font: &Letters,
    text: &str,
    style: Style,
    middle: (f32, f32),
    room: f32,
    ink: V3,
) {
    let gap = 4.0;
    let mut line = Line { at: middle, cap: style.cap(), squeeze: 1.0, gap, ink };
    let spread = gap * (text.chars().count() as f32 - 1.0);
    let natural = Canvas::width(font, text, &line) - spread;
    line.squeeze = ((room - spread) / natural).min(0.78);
    c.text(font, text, &line);
}

fn sheet(style: Style, paper: V3) -> Canvas {
    Canvas::new(style.size().0, style.size().1, PER_MM, paper)
}

fn plain(font: &Letters, text: &str, style: Style, paper: V3) -> Canvas {
    let (w, h) = style.size();
    let mut c = sheet(style, paper);
    main_line(&mut c, font, text, style, (w / 2.0, h / 2.0), w - 44.0, srgb(0x101010));
    c
}

fn european(font: &Letters, text: &str, style: Style) -> Canvas {
    let (w, h) = style.size();
    let mut c = sheet(style, srgb(0xF1F1EE));
    c.frame(srgb(0x101010), (2.0, 2.0), (w - 4.0, h - 4.0), 8.0, 2.5);
    c.rect(srgb(0x1B3F94), (3.0, 3.0), (44.0, h - 6.0), 6.0);
    for i in 0..12 {
        let (s, k) = (std::f32::consts::TAU * i as f32 / 12.0).sin_cos();
        c.disc(srgb(0xF3CE2B), (25.0 + 13.0 * k, 36.0 + 13.0 * s), 2.2);
    }
    let line = Line { at: (25.0, 84.0), cap: 20.0, squeeze: 0.8, gap: 1.0, ink: grey(0.9) };
    c.text(font, "PK", &line);
    main_line(&mut c, font, text, style, (w / 2.0 + 22.0, h / 2.0), w - 86.0, srgb(0x111111));
    c
}

fn indonesian(font: &Letters, text: &str, style: Style, ink: V3, paper: V3) -> Canvas {
    let (w, h) = style.size();
    let mut c = sheet(style, paper);
    c.frame(ink, (4.0, 4.0), (w - 8.0, h - 8.0), 8.0, 3.0);
    main_line(&mut c, font, text, style, (w / 2.0, 55.0), w - 44.0, ink);
    let line = Line { at: (w / 2.0, h - 23.0), cap: 22.0, squeeze: 0.8, gap: 2.0, ink };
    c.text(font, "05.27", &line);
    c
}

fn mercosul(font: &Letters, text: &str, style: Style) -> Canvas {
    let (w, h) = style.size();
    let mut c = sheet(style, srgb(0xEFEFEC));
    c.rect(srgb(0x17408F), (0.0, 0.0), (w, 31.0), 2.0);
    let line = Line { at: (w / 2.0, 16.0), cap: 15.0, squeeze: 0.9, gap: 3.0, ink: grey(0.9) };
    c.text(font, "PARKLANDIA", &line);
    c.frame(srgb(0x202020), (2.0, 2.0), (w - 4.0, h - 4.0), 7.0, 2.0);
    main_line(&mut c, font, text, style, (w / 2.0, 80.0), w - 48.0, srgb(0x151515));
    c
}

fn indian(font: &Letters, text: &str, style: Style) -> Canvas {
    let (w, h) = style.size();
    let mut c = sheet(style, srgb(0xEDEDEA));
    c.frame(srgb(0x151515), (3.0, 3.0), (w - 6.0, h - 6.0), 6.0, 2.5);
    c.disc(srgb(0x6E8DB8), (22.0, 40.0), 10.0);
    let line = Line { at: (22.0, 80.0), cap: 11.0, squeeze: 0.8, gap: 0.5, ink: srgb(0x2046A0) };
    c.text(font, "PRK", &line);
    main_line(&mut c, font, text, style, (w / 2.0 + 14.0, h / 2.0), w - 72.0, srgb(0x141414));
    c
}

fn american(font: &Letters, text: &str, style: Style) -> Canvas {
    let (w, h) = style.size();
    let mut c = sheet(style, grey(0.8));
    c.each(|_, y, _| srgb(0xBFD8F0).mix(srgb(0xF6F3EA), (y / h * 1.3).min(1.0)));
    let ink = srgb(0x17265C);
    let head = Line { at: (w / 2.0, 21.0), cap: 17.0, squeeze: 0.85, gap: 2.0, ink: srgb(0xA33327) };
    c.text(font, "Lakeland", &head);
    main_line(&mut c, font, text, style, (w / 2.0, 80.0), w - 26.0, ink);
    let foot = Line { at: (w / 2.0, h - 14.0), cap: 10.0, squeeze: 0.9, gap: 1.0, ink };
    c.text(font, "Land of quiet car parks", &foot);
    c.frame(ink, (3.0, 3.0), (w - 6.0, h - 6.0), 12.0, 2.0);
    c
}
