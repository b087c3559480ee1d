// $first and $second, two vec4 at a time where loads are wide.
#if WIDE
#import wide_loads
#bind read $first array<vec4<u64>>
#bind read $second array<vec4<u64>>
#else
#bind read $first array<vec4<f32>>
#bind read $second array<vec4<f32>>
#end
