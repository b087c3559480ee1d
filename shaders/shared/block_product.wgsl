        // c += A·B over the slab.
        {
            let at_a = down * 2u;
            let at_b = BEGIN_B + across;
#for u SLAB_STEPS
            {
            let a = array<vec4<f32>, 2>(slab[at_a + $uu * PITCH_A], slab[at_a + $uu * PITCH_A + 1u]);
            let b0 = slab[at_b + $uu * PITCH_B];
            let b1 = slab[at_b + $uu * PITCH_B + ACROSS];
#for i 8
            c$i_0 = fma(vec4<f32>(a[$iu / 4u][$iu % 4u]), b0, c$i_0);
            c$i_1 = fma(vec4<f32>(a[$iu / 4u][$iu % 4u]), b1, c$i_1);
#end
            }
#end
        }
