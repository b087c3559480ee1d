//! wgloss
