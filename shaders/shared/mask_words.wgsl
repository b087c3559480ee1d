    // The masks of the lane's rows for the 32 columns from $at on.
#for q QUADS
    let words$q = masks[(row / 4u + $qu) * words + ($at) / 32u];
#end
