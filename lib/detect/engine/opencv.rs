//! Networks run by OpenCV's own module.

use std::borrow::Cow;

use opencv::core::{self, LogLevel, Mat, MatTraitConst, MatTraitConstManual, Vector};
use opencv::dnn::{self, Net, NetTrait, NetTraitConst};

use super::{Engine, Tensor};
use crate::error::{Error, Result};

/// So many shapes a network is laid out for at a time: as many as the plates of one camera's frames are looked for in.
const SHAPES: usize = 4;

/// A network that OpenCV runs. OpenCV lays a network out anew whenever its input has another shape, which costs more than running
/// it; so there is a copy for each shape.
pub struct OpenCv {
    onnx: Cow<'static, [u8]>,
    /// The shapes with their copies, the one used last at the end; a copy that was not used yet has no shape.
    copies: Vec<(Vec<usize>, Net)>,
}

impl OpenCv {
    /// Loads a network from the bytes of an ONNX file (opset 17 or lower, weights inside).
    ///
    /// # Errors
    /// [`Kind::Model`](crate::error::Kind::Model) when OpenCV cannot read it.
    pub fn from_onnx(onnx: Cow<'static, [u8]>) -> Result<Self> {
        let copies = vec![(Vec::new(), load(&onnx)?)];
        Ok(Self { onnx, copies })
    }

    /// The copy for inputs of this shape, or else the one that was not used for longest.
    fn laid_out_for(&mut self, shape: &[usize]) -> Result<&mut Net> {
        let known = self.copies.iter().position(|(other, _)| other == shape);
        let at = match known.or_else(|| self.copies.iter().position(|(other, _)| other.is_empty())) {
            Some(at) => at,
            None if self.copies.len() < SHAPES => {
                self.copies.push((Vec::new(), load(&self.onnx)?));
                self.copies.len() - 1
            }
            None => 0,
        };
        let (_, net) = self.copies.remove(at);
        Ok(&mut self.copies.push_mut((shape.to_vec(), net)).1)
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
