//! Networks run by OpenCV's own module.

use std::borrow::Cow;

use opencv::core::{self, LogLevel, Mat, MatTraitConst, MatTraitConstManual, Vector};
use opencv::dnn::{self, Net, NetTrait, NetTraitConst};

use super::{Engine, Tensor};
use crate::error::{Error, Result};

/// A copy of a network is laid out anew for shapes of up to so many times as many values, or as few; others have a copy of their own.
const ALIKE: f64 = 1.5;
/// Copies of a network at most.
const COPIES: usize = 4;

/// A network that OpenCV runs. OpenCV lays a network out anew whenever its input has another shape, which costs more than running
/// it; so there are copies for shapes that come by turns. Those that are much alike share one, for each takes as much memory as the
/// largest that it was laid out for.
pub struct OpenCv {
    onnx: Cow<'static, [u8]>,
    copies: Vec<Laid>,
}

/// A network, laid out for inputs of one shape; of none before it is used.
struct Laid {
    shape: Vec<usize>,
    net: Net,
}

impl Laid {
    /// How far this is from being laid out for inputs of another shape: 0 if it is, or else by what factor it would grow or shrink.
    fn distance(&self, shape: &[usize]) -> f64 {
        if self.shape == shape {
            return 0.0;
        }
        let values = |shape: &[usize]| shape.iter().product::<usize>().max(1) as f64;
        let factor = values(&self.shape) / values(shape);
        if self.shape.is_empty() { 1.0 } else { factor.max(1.0 / factor) }
    }
}

impl OpenCv {
    /// Loads a network from the bytes of an ONNX file (opset 17 or lower, weights inside).
    ///
    /// # Errors
    /// [`Kind::Model`](crate::error::Kind::Model) when OpenCV cannot read it.
    pub fn from_onnx(onnx: Cow<'static, [u8]>) -> Result<Self> {
        let copies = vec![Laid { shape: Vec::new(), net: load(&onnx)? }];
        Ok(Self { onnx, copies })
    }

    /// The copy that is laid out for inputs of this shape, or can be with the least ado.
    fn laid_out_for(&mut self, shape: &[usize]) -> Result<&mut Net> {
        let distances = self.copies.iter().map(|copy| copy.distance(shape)).enumerate();
        let nearest = distances.min_by(|a, b| a.1.total_cmp(&b.1));
        let at = match nearest {
            Some((at, distance)) if distance <= ALIKE || self.copies.len() == COPIES => at,
            _ => {
                self.copies.push(Laid { shape: Vec::new(), net: load(&self.onnx)? });
                self.copies.len() - 1
            }
        };
        let copy = &mut self.copies[at];
        copy.shape = shape.to_vec();
        Ok(&mut copy.net)
    }
}

/// A network from the bytes of an ONNX file.
fn load(onnx: &[u8]) -> Result<Net> {
    let doing = "loading a network";
    let net =
        dnn::read_net_from_onnx_buffer(&Vector::from_slice(onnx)).map_err(|e| Error::model(doing, e))?;
    match net.empty().map_err(|e| Error::model(doing, e))? {
        false => Ok(net),
        true => Err(Error::model(doing, "it has no layers")),
    }
}

impl Engine for OpenCv {
    fn run(&mut self, input: Tensor) -> Result<Tensor> {
        let doing = "running a network";
        if input.shape.iter().product::<usize>() != input.data.len() {
            return Err(Error::model(doing, "the input's shape and length differ"));
        }
        let net = self.laid_out_for(&input.shape)?;
        let mut output = || -> opencv::Result<Tensor> {
            let sizes: Vec<i32> = input.shape.iter().map(|&n| n as i32).collect();
            let blob = Mat::new_nd_with_data(&sizes, &input.data)?;
            net.set_input(&blob, "", 1.0, opencv::core::Scalar::default())?;
            let output = net.forward_single_def()?;
            let shape = output.mat_size().iter().map(|&n| n as usize).collect();
            Ok(Tensor { shape, data: output.data_typed::<f32>()?.to_vec() })
        };
        output().map_err(|e| Error::model(doing, e))
    }
}

/// Lets OpenCV use so many threads in the whole process, 0 leaving its default, and keeps it from writing on stderr what it
/// says in its errors as well.
///
/// # Errors
/// [`Kind::Model`](crate::error::Kind::Model) when OpenCV refuses.
pub fn prepare(threads: usize) -> Result<()> {
    let doing = |e| Error::model("setting OpenCV up", e);
    core::set_log_level(LogLevel::LOG_LEVEL_FATAL).map_err(doing)?;
    match threads {
        0 => Ok(()),
        _ => core::set_num_threads(threads as i32).map_err(doing),
    }
}
