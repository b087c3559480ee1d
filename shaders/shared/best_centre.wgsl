            // The class's best sub-centre so far, of four rows; at its last one all others are masked.
            let better = (scores > top) | vec4<bool>(place == 0u);
            top = select(top, scores, better);
            kept = select(kept, vec4<u32>(at), better);
            place += 1u;
            if place == job.per_class {
                for (var other = at + 1u - job.per_class; other <= at; other += 1u) {
                    let bit = vec4<u32>(1u << (other % 32u));
                    masks[words + other / 32u] |= select(bit, vec4<u32>(0u), kept == vec4<u32>(other));
                }
                place = 0u;
            }
