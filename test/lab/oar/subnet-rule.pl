# Groups that ask for slash_NN are subnets. Runs before OAR's own rule that takes every group for nodes.
foreach my $mold (@{$ref_resource_list}) {
    foreach my $group (@{$mold->[0]}) {
        next unless grep { $_->{resource} =~ /^slash_\d+$/ } @{$group->{resources}};
        my $given = $group->{property};
        if (!defined($given) or $given eq "") { $group->{property} = "type='subnet'"; }
        elsif ($given !~ /type\s*=/) { $group->{property} = "($given) AND type='subnet'"; }
    }
}
