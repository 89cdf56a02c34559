"""How near a restoration comes to the truth: clean originals, captures of them, what presets make of these.

scenes    clean progressive originals, one frame for each moment at which a field is taken
captures  what becomes of an original: a tape (tape.py), a disc, a webcam, a download
restore   the product itself, without the encoder
score     VMAF, VMAF-NEG, SSIM and PSNR of the result against the original, once they are proven
          to be aligned (alignment.py)
"""
