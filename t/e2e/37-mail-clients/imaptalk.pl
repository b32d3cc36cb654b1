#!/usr/bin/perl
# imaptalk.pl HOST PORT CERTIFICATE USER PASSWORD - what Mail::IMAPTalk makes of an account, as JSON; then it
# changes the account, and says what it makes of that. Folder names are Unicode here, the module encodes them.
use strict;
use warnings;
use utf8;
use JSON::PP;
use MIME::Base64;
use Mail::IMAPTalk qw(:Default);

my ($host, $port, $certificate, $user, $password) = @ARGV;
my $imap = Mail::IMAPTalk->new(Server => $host, Port => $port, UseSSL => 1, SSL_ca_file => $certificate,
	Username => $user, Password => $password, Uid => 1, UseCompress => 1)
	or die "connecting: $@";
$imap->set_unicode_folders(1);

sub want {
	my ($result, $what) = @_;
	die "$what: " . ($imap->get_last_error() // $@) unless defined $result;
	return $result;
}

# What a folder holds: UID -> flags, date, bytes, and what the module understood of structure and envelope.
sub read_folder {
	my ($name) = @_;
	want(scalar $imap->examine($name), "examine $name");
	my $count = $imap->get_response_code('exists');
	my %folder = (validity => $imap->get_response_code('uidvalidity'), messages => {});
	return \%folder unless $count;
	my $found = want(scalar $imap->fetch('1:*',
		'(UID FLAGS INTERNALDATE RFC822.SIZE ENVELOPE BODYSTRUCTURE BODY.PEEK[])'), "fetch $name");
	for my $uid (keys %$found) {
		my $one = $found->{$uid};
		$folder{messages}{$uid} = {
			flags => $one->{flags}, date => $one->{internaldate}, size => $one->{'rfc822.size'} + 0,
			text => encode_base64($one->{body}, ''), id => $one->{envelope}{'Message-ID'},
			type => $one->{bodystructure}{'MIME-Type'}, from => $one->{envelope}{From},
		};
	}
	return \%folder;
}

sub read_account {
	my %folders;
	for my $entry (@{want(scalar $imap->list('', '*'), 'list')}) {
		my ($attributes, undef, $name) = @$entry;
		next if grep { /^\\(noselect|nonexistent)$/i } @$attributes;
		$folders{$name} = read_folder($name);
	}
	return \%folders;
}

sub change_account {
	want(scalar $imap->create('新規/子'), 'create');
	want(scalar $imap->subscribe('新規/子'), 'subscribe');
	my $text = "From: <p\@example.org>\r\nSubject: perl\r\nMessage-ID: <corpus-2000\@example.org>\r\n\r\nperl\r\n";
	want(scalar $imap->append('新規/子', '(\\Seen $label1)', '01-Feb-2020 03:04:05 +0900', {Literal => $text}), 'append');
	want(scalar $imap->select('INBOX'), 'select');
	want(scalar $imap->store('1:3', '+flags', '(\\flagged)'), 'store');
	want(scalar $imap->store('4', '+flags.silent', '(\\deleted)'), 'store');
	want(scalar $imap->uidexpunge('4'), 'uid expunge');
	want(scalar $imap->copy('5:6', '新規/子'), 'copy');
	want(scalar $imap->move('7', '新規/子'), 'move');
	want(scalar $imap->rename('取引先', '顧客'), 'rename');
	want(scalar $imap->delete('Archive'), 'delete');
}

sub ask_all_kinds {
	my %answers;
	want(scalar $imap->select('INBOX'), 'select');
	$answers{flagged} = [sort { $a <=> $b } @{want(scalar $imap->search('flagged'), 'search')}];
	$answers{sorted} = scalar @{want(scalar $imap->sort('(subject)', 'utf-8', 'all'), 'sort')};
	$answers{threads} = scalar @{want(scalar $imap->thread('references', 'utf-8', 'all'), 'thread')};
	$answers{status} = want(scalar $imap->status('新規/子', '(messages uidnext unseen)'), 'status');
	$answers{quota} = want(scalar $imap->getquotaroot('INBOX'), 'getquotaroot');
	$answers{id} = want(scalar $imap->id(name => 'imaptalk', version => $Mail::IMAPTalk::VERSION), 'id');
	$answers{namespace} = want(scalar $imap->namespace(), 'namespace');
	want(scalar $imap->setmetadata('INBOX', '/private/comment', '覚え書き'), 'setmetadata');
	$answers{metadata} = want(scalar $imap->getmetadata('INBOX', {depth => 'infinity'}, '/private'), 'getmetadata');
	utf8::decode($answers{metadata}{Inbox}{'/private/comment'});
	want(scalar $imap->setmetadata('INBOX', '/private/comment', undef), 'setmetadata');
	want(scalar $imap->noop(), 'noop');
	want(scalar $imap->unselect(), 'unselect');
	return \%answers;
}

my %result = (before => read_account());
change_account();
$result{after} = read_account();
$result{answers} = ask_all_kinds();
$imap->logout();
print JSON::PP->new->utf8->canonical->allow_nonref->encode(\%result);
