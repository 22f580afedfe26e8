//! park-detect: frames to licence plates and slot states.
