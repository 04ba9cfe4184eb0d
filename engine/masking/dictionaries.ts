/*
 * What masks are made of. Given names are real ones of many languages; everything else is invented,
 * so that a mask never happens to be somebody's: the leak scan would take it for an original.
 */

const words = (text: string): readonly string[] => text.trim().split(/\s+/);

/** 128, so that seven bits of a hash choose one. */
export const givenNames = words(`
  Ada Adão Agnes Aïda Aleksander Alba Amara Amélie Ana Anaïs André Anja Anouk Ariel Arthur Astrid Aurélie Ayaan Aylin Beatriz
  Benedikt Björn Bruno Camila Carmen Cecília Celeste Chidi Chloé Ciarán Clément Dagny Dalia Daniela Dário Darya Diana Diego Dilan Duarte
  Edith Eduardo Eero Efua Elif Elio Émile Emre Enzo Ester Eva Fabian Farah Fatima Félix Filipa Fiona Frida Gabriel Georg
  Gia Giulia Gonçalo Greta Håkon Hana Haruki Helena Henrik Hugo Ibrahim Ida Ilse Inês Irina Isabel Iván Jakub Jasmin João
  Jonas José Julia Jürgen Kaan Karim Katya Kenji Laila Lars Leïla Leonor Lin Lívia Loïc Lucía Luka Maja Malik Marek
  Margit Mateo Maya Mehmet Mila Miriam Nadia Nils Nóra Olena Omar Øyvind Pedro Petra Rafael Renée Rúben Saga Salma Sofía
  Søren Tariq Teresa Tomáš Ülle Vera Yara Zoë`);

const surnameHeads = words("Alder Brim Cald Dorn Elver Farn Glim Harrow Ister Jund Kelm Lorn Merr Nolde Orm Pellan Quill Rasp Sund Tarn Ulver Vesk Wend Yarl Zorr Århd Brøst Çelm Émond Grön Lüth Sält");
const surnameTails = words("asen bexley cordo dahlin etzky fennar gressi holdt");

/** 256 invented surnames, so that one byte of a hash chooses one. */
export const surnames: readonly string[] = surnameHeads.flatMap((head) => surnameTails.map((tail) => head + tail));

const townHeads = words("Amber Birch Copper Drift Elder Fallow Glass Heron Indigo Juniper Kestrel Lark Maple North Otter Pebble");
const townTails = words("gate ferry holm wick moor stead quay vale");

/** 128 invented towns. */
export const towns: readonly string[] = townHeads.flatMap((head) => townTails.map((tail) => head + tail));

const streetKinds = words("Lane Row Walk Close");

/** 256 invented streets. */
export const streets: readonly string[] = townHeads
  .flatMap((head) => words("sorrel tansy teasel yarrow").map((plant) => `${head}${plant}`))
  .flatMap((name) => streetKinds.map((kind) => `${name} ${kind}`));

const companyKinds = words("Works Trading Press Studio");

/** 128 invented companies. */
export const companies: readonly string[] = townHeads
  .flatMap((head) => words("brook thorn").map((tail) => `${head}${tail}`))
  .flatMap((name) => companyKinds.map((kind) => `${name} ${kind}`));

/** Invented words for masked text, about 1,000 characters, ending with a space so that it can be repeated. */
export const filler = `${words(`
  alvera bonem cadir dolven estra feril gomar hestin ivora jalem koven lumira mertas nolin opher pavin quores ralden sovir tamel
  ulden varis wolem xandir yoren zelim ambrel bastin corvel dastin elmor fondir galvis hurem isten jorval kelmin lastor mondir nervel
  orlin pestra quindel rosten selvar turim uvaldi vesten wendra xelor yastin zorven aldrim brevel calden drosti evarn felmor gresin haldor
  imbrel jestor kandil lorven mastel nindor ostrel palmerin quasten rindel solvar tendri umbrel vandor wistel xorin yelda zandir arvel bondri
  celdor dimer ervan foldi gastor hindel iolden jundra kerval lindor morven nasti oldrin pendel`).join(" ")} `;
